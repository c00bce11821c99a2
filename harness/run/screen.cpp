#include "run/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "shown_text.hpp"

namespace postern {
namespace {

/// Folding is one of the standard streams that leads to a terminal.
struct Folding {
  FILE** stream;
  int descriptor;
  std::string command{};  ///< What the lines begin with, or have in them, that stay whole.
};
std::array<Folding, 2> foldings = {{{&stdout, STDOUT_FILENO}, {&stderr, STDERR_FILENO}}};

std::string fold_all(std::string_view text, std::size_t width, const std::string& command) {
  std::string folded;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    // What moves the cursor knows how wide it is.
    const bool whole = line.find('\r') != line.npos || line.find(command) != line.npos;
    folded += whole ? std::string(line) : reports::folded(line, width);
    if (end < text.size()) folded += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return folded;
}

// write_folded is what fopencookie(3) asks for: nothing written, or all.
ssize_t write_folded(void* cookie, const char* bytes, std::size_t size) {
  const Folding& folding = *static_cast<const Folding*>(cookie);
  const std::size_t width = screen_of(folding.descriptor).columns;
  const std::string_view given(bytes, size);
  const std::string text =
      width == 0 ? std::string(given) : fold_all(given, width, folding.command);
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t put = ::write(folding.descriptor, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return 0;
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

reports::Colour colour_of(int descriptor) {
  const char* none = std::getenv("NO_COLOR");
  const bool refused = none != nullptr && *none != '\0';
  return ::isatty(descriptor) == 1 && !refused ? reports::Colour::kYes : reports::Colour::kNo;
}

reports::Screen screen_of(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

std::size_t text_width(int descriptor) {
  const std::size_t have = screen_of(descriptor).columns;
  if (have == 0) return reports::kLadderColumns;
  return std::clamp(have, reports::kLeastLadderColumns, reports::kLadderColumns);
}

void fold_to_screen(const std::string& program) {
  constexpr std::size_t kBuffer = 1 << 20;  // A line that is cut between two writes is not folded.
  for (Folding& folding : foldings) {
    if (screen_of(folding.descriptor).columns == 0) continue;
    folding.command = program + " ";
    FILE* opened = ::fopencookie(&folding, "w", {nullptr, &write_folded, nullptr, nullptr});
    if (opened == nullptr) continue;
    const bool errors = folding.descriptor == STDERR_FILENO;
    std::setvbuf(opened, nullptr, errors ? _IONBF : _IOLBF, errors ? 0 : kBuffer);
    *folding.stream = opened;
  }
}

}  // namespace postern
