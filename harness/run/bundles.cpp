#include "run/bundles.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <tuple>

#include "failure_text.hpp"
#include "results_file.hpp"
#include "run/pcapng.hpp"

namespace postern {
namespace {

namespace fs = std::filesystem;

// In every folder and archive of bundles: by it one is known that may be replaced.
constexpr const char* kOwn = "bundles.txt";

// What is in a bundle are the secrets of test connections, and the configuration of a gateway that
// may be somebody's own: for its owner alone.
void write_file(const fs::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  std::size_t done = 0;
  while (file >= 0 && done < text.size()) {
    const ssize_t put = ::write(file, text.data() + done, text.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) break;
    done += static_cast<std::size_t>(put);
  }
  const int error = errno;
  if (file >= 0) ::close(file);
  if (file < 0 || done < text.size())
    throw std::runtime_error(
        fmt::format("{} cannot be written: {}", path.string(), std::strerror(error)));
}

void make_folder(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (!error && ::mkdir(path.c_str(), 0700) == 0) return;
  const std::string why = error ? error.message() : std::strerror(errno);
  throw std::runtime_error(
      fmt::format("the folder {} cannot be made: {}; name another", path.string(), why));
}

std::string file_name_of(const std::string& id) {
  constexpr std::size_t kLongest = 200;
  std::string name;
  for (const char c : id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '=' || c == '.';
    name += plain ? c : '_';
  }
  return name.substr(0, kLongest);
}

[[noreturn]] void cannot_pack(const std::string& path, const std::string& why) {
  throw std::runtime_error(fmt::format("{} cannot be written: {}", path, why));
}

// is_own tells whether what is there was written by an earlier run.
bool is_own(const fs::path& path, bool packed) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(path, ignored);
  if (!packed) return fs::is_directory(status) && fs::exists(path / kOwn, ignored);
  if (!fs::is_regular_file(status)) return false;
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open(path.c_str(), ZIP_RDONLY, nullptr), &zip_discard);
  return archive != nullptr && zip_name_locate(archive.get(), kOwn, 0) >= 0;
}

}  // namespace

Bundles::Bundles(const std::string& path, bool all, reports::RunHeader header)
    : path_(path.substr(0, path.find_last_not_of('/') + 1)),
      all_(all),
      packed_(path_.ends_with(".zip")),
      header_(std::move(header)) {
  if (path_.empty() || fs::exists(path_)) {
    if (!is_own(path_, packed_))
      throw std::runtime_error(
          fmt::format("{} is there already, and holds no bundles; name another", path));
    fs::remove_all(path_);
  }
  folder_ = packed_ ? fs::path(fmt::format("{}.{}", path_, ::getpid())) : fs::path(path_);
  make_folder(folder_);
  write_file(folder_ / kOwn,
             "Bundles of postern run, a folder for each case. A run that is to write its own here\n"
             "replaces all of this.\n");
}

Bundles::~Bundles() {
  remove_packed();
}

void Bundles::remove_packed() {
  std::error_code ignored;
  if (packed_) fs::remove_all(folder_, ignored);
}

fs::path Bundles::folder_of(const std::string& id) {
  const std::string name = file_name_of(id);
  const int used = ++names_[name];
  return folder_ / (used == 1 ? name : fmt::format("{}_{}", name, used));
}

std::string Bundles::about(const reports::CaseResult& result, const Traffic* traffic,
                           bool has_configuration) const {
  std::string text =
      fmt::format("Case      {}\nVerdict   {}{}{}\nGateway   {}\n", result.id, word(result.verdict),
                  result.reason.empty() ? "" : ": ", result.reason, header_.gateway);
  for (const auto& [name, value] : result.settings)
    text += fmt::format("Setting   {}={}\n", name, value);
  text += fmt::format("Run       {} UTC on {}, seed {}: {}\nPostern   {}, {}\nAgain     {}\n\n",
                      header_.started, header_.host, header_.seed, header_.command, header_.postern,
                      header_.openssl, result.rerun);
  text +=
      "case.txt        what was expected and what came, both dialogues on one axis of time, the\n"
      "                gateway's own lines\n"
      "case.jsonl      the same as a results file: postern report case.jsonl --html case.html\n";
  if (traffic != nullptr) {
    text +=
        "traffic.pcapng  both legs, made from what the peers wrote and read, with the secrets of\n"
        "                TLS: Wireshark and tshark show what went inside\n";
    if (traffic->left_out > 0)
      text +=
          fmt::format("                ({} octets more are left out of it)\n", traffic->left_out);
  }
  if (traffic != nullptr || has_configuration)
    text += "gateway.txt     the gateway's configuration, and the command that started it\n";
  return text;
}

void Bundles::add(const reports::CaseResult& result, const Traffic* traffic,
                  const std::string& configuration, std::int64_t epoch) {
  const bool good =
      result.verdict == reports::Verdict::kPass || result.verdict == reports::Verdict::kSkip;
  if (result.control || (good && !all_)) return;
  if (!all_ && written_ == kFailing) {
    ++left_out_;
    return;
  }
  const fs::path folder = folder_of(result.id);
  make_folder(folder);
  ++written_;
  write_file(folder / "about.txt", about(result, traffic, !configuration.empty()));
  write_file(folder / "case.txt", reports::failure_text(result));
  reports::ResultsWriter results((folder / "case.jsonl").string(), header_);
  results.write(result);
  reports::RunFooter footer;
  footer.seconds = result.seconds;
  reports::Tally tally;
  tally.count(result);
  footer.exit_code = tally.exit_code(0);
  results.finish(footer);
  fs::permissions(folder / "case.jsonl", fs::perms::owner_read | fs::perms::owner_write);
  if (traffic != nullptr) write_file(folder / "traffic.pcapng", pcapng_of(*traffic, epoch));
  if (traffic != nullptr || !configuration.empty())
    write_file(folder / "gateway.txt",
               configuration.empty() ? "No gateway came up.\n" : configuration);
}

bool Bundles::give_up() {
  State was = State::kOpen;
  if (!state_.compare_exchange_strong(was, State::kGivenUp)) {
    state_ = State::kGivenUp;
    return false;
  }
  remove_packed();
  return true;
}

// pack makes one archive of all files, for its owner alone; false where it was given up, and then
// there is none. Nothing else of this process makes a file meanwhile.
bool Bundles::pack() {
  struct Mask {
    mode_t before = ::umask(077);
    ~Mask() { ::umask(before); }
  } const mask;
  int code = 0;
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open(path_.c_str(), ZIP_CREATE | ZIP_EXCL, &code), &zip_discard);
  zip_error_t opening;
  zip_error_init_with_code(&opening, code);
  if (archive == nullptr) cannot_pack(path_, zip_error_strerror(&opening));
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), folder_).string();
    zip_source_t* source = zip_source_file(archive.get(), entry.path().c_str(), 0, -1);
    if (source == nullptr ||
        zip_file_add(archive.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8) < 0)
      cannot_pack(path_, zip_strerror(archive.get()));
  }
  const auto asked = [](zip_t* /*archive*/, void* self) {
    return static_cast<const Bundles*>(self)->given_up() ? 1 : 0;
  };
  zip_register_cancel_callback_with_state(archive.get(), asked, nullptr, this);
  if (zip_close(archive.get()) != 0) {
    if (zip_error_code_zip(zip_get_error(archive.get())) == ZIP_ER_CANCELLED) return false;
    cannot_pack(path_, zip_strerror(archive.get()));
  }
  std::ignore = archive.release();  // It is gone with its close.
  return true;
}

std::string Bundles::finish() {
  State was = State::kOpen;
  if (!state_.compare_exchange_strong(was, State::kFinishing)) return "";
  if (written_ == 0) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    return "";
  }
  try {
    const bool whole = !packed_ || pack();
    remove_packed();
    if (!whole) return "";
  } catch (const std::runtime_error& problem) {
    packed_ = false;  // It stays.
    throw std::runtime_error(
        fmt::format("{}; the bundles are in {}", problem.what(), folder_.string()));
  }
  return fmt::format("Bundles: {} ({} case{}{})", path_, written_, written_ == 1 ? "" : "s",
                     left_out_ == 0 ? "" : fmt::format("; {} more did not pass", left_out_));
}

}  // namespace postern
