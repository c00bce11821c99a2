#include "journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "utf8.hpp"

namespace gateway {
namespace {

[[noreturn]] void refuse(const std::string& path) {
  throw std::runtime_error(
      fmt::format("{}: cannot write the journal: {}", path, std::strerror(errno)));
}

}  // namespace

std::string json_string(std::string_view value) {
  std::string out = "\"";
  while (!value.empty()) {
    const auto c = static_cast<unsigned char>(value.front());
    const std::size_t length = utf8_length(value);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += value.front();
    } else if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", c);
    } else if (length == 0) {
      out += fmt::format("\\\\x{:02X}", c);
    } else {
      out += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  return out + '"';
}

JournalLine::JournalLine(std::string_view event) {
  text_ = fmt::format("\"event\":\"{}\"", event);
}

std::string JournalLine::text(TimePoint time) const {
  return fmt::format("{{\"time\":\"{}\",{}}}\n", rfc3339(time), text_);
}

JournalLine& JournalLine::add(std::string_view key, std::string_view value) {
  text_ += fmt::format(",\"{}\":{}", key, json_string(value));
  return *this;
}

JournalLine& JournalLine::add(std::string_view key, std::uint64_t value) {
  text_ += fmt::format(",\"{}\":{}", key, value);
  return *this;
}

Journal::Journal(const std::string& path) : descriptor_(STDOUT_FILENO), owned_(!path.empty()) {
  if (!owned_) return;
  constexpr int kAppend = O_WRONLY | O_APPEND | O_CLOEXEC;
  descriptor_ = open(path.c_str(), kAppend | O_CREAT | O_EXCL, 0600);
  if (descriptor_ >= 0) {
    // Whoever reads logs is in its group; the umask is not asked.
    fchmod(descriptor_, S_IRUSR | S_IWUSR | S_IRGRP);
  } else if (errno == EEXIST) {
    descriptor_ = open(path.c_str(), kAppend);
  }
  if (descriptor_ < 0) refuse(path);
}

void Journal::check(const std::string& path) {
  if (path.empty()) return;
  // Not to wait for the reader of a pipe.
  const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0) {
    close(descriptor);
    return;
  }
  if (errno == ENXIO) return;
  if (errno != ENOENT) refuse(path);
  const std::string folder = std::filesystem::path(path).parent_path();
  if (access(folder.c_str(), W_OK | X_OK) != 0) refuse(path);
}

Journal::~Journal() {
  flush();
  if (owned_) close(descriptor_);
}

void Journal::add(const JournalLine& line) {
  const bool first = pending_.empty();
  pending_ += line.text(now());
  if (first && schedule_) schedule_();
}

void Journal::flush() {
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
}

}  // namespace gateway
