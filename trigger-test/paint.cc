#include "trigger-test/paint.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace hastur {

bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

std::string Paint::painted(std::string_view code, std::string_view text) const {
  return colour_ && !text.empty() ? fmt::format("\033[{}m{}\033[0m", code, text)
                                  : std::string(text);
}

}  // namespace hastur
