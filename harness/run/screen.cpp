#include "run/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace postern {

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

}  // namespace postern
