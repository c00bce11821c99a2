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

std::size_t width_of(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace postern
