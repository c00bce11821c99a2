#include "run/colour.hpp"

#include <unistd.h>

#include <cstdlib>

namespace postern {

reports::Colour colour_of(int descriptor) {
  const char* none = std::getenv("NO_COLOR");
  const bool refused = none != nullptr && *none != '\0';
  return ::isatty(descriptor) == 1 && !refused ? reports::Colour::kYes : reports::Colour::kNo;
}

}  // namespace postern
