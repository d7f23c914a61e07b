#pragma once

// Texts of others, quoted in messages of ours.

#include <string>
#include <string_view>

namespace hastur {

// At most the first `bytes_max` bytes of `text`, then " …" if something was left out. No character
// of UTF-8 is cut. The default is about a line of a terminal.
inline std::string cut_text(std::string_view text, std::size_t bytes_max = 110) {
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + " …";
}

}  // namespace hastur
