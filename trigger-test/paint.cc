#include "trigger-test/paint.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace hastur {

bool wants_colour() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view(value != nullptr ? value : "");
  };
  return isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

std::string Paint::painted(std::string_view code, std::string_view text) const {
  return colour_ && !text.empty() ? fmt::format("\033[{}m{}\033[0m", code, text)
                                  : std::string(text);
}

}  // namespace hastur
