#pragma once

// Colours for a terminal.

#include <string>
#include <string_view>

namespace hastur {

// Standard output is a terminal that knows colours, and nobody has said NO_COLOR.
bool wants_colour();

class Paint {
 public:
  explicit Paint(bool colour) : colour_(colour) {}
  std::string red(std::string_view text) const { return painted("31", text); }
  std::string green(std::string_view text) const { return painted("32", text); }
  std::string yellow(std::string_view text) const { return painted("33", text); }
  std::string bold(std::string_view text) const { return painted("1", text); }
  std::string faint(std::string_view text) const { return painted("2", text); }

 private:
  std::string painted(std::string_view code, std::string_view text) const;
  bool colour_;
};

}  // namespace hastur
