#include "core/number.h"

#include <charconv>
#include <cmath>

#include "core/check.h"

namespace hastur {

void append_number(std::string& out, double value) {
  HASTUR_CHECK(std::isfinite(value), "a number that is not finite was to be written");
  char text[32];
  if (value == 0.0) {
    out += std::signbit(value) ? "-0.0" : "0";
    return;
  }
  // Every integer below 2^53 is exact; above, digits would pretend a precision that a double has
  // not.
  if (std::trunc(value) == value && std::fabs(value) < 9007199254740992.0) {
    const auto [end, status] =
        std::to_chars(text, text + sizeof text, static_cast<long long>(value));
    out.append(text, end);
    return;
  }
  const auto [end, status] = std::to_chars(text, text + sizeof text, value);
  out.append(text, end);
}

}  // namespace hastur
