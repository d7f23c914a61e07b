#include "trigger-runtime/vm/helpers/window.h"

namespace hastur {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether the script reads a field, or calls a function, of this name.
bool names(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if (end < text.size() && is_word(text[end])) continue;
    // Between a dot or colon and the name there may be blanks.
    const std::string_view whole = text.substr(0, at);
    const std::size_t last = whole.find_last_not_of(" \t\r\n\v\f");
    if (last == std::string_view::npos) continue;
    const std::string_view before = whole.substr(0, last + 1);
    if (before.ends_with(':')) return true;
    if (before.ends_with('.') && !before.ends_with("math.")) return true;
    if (last + 1 == at && (before.ends_with('"') || before.ends_with('\''))) return true;
  }
  return false;
}

}  // namespace

Window::Kept kept_by_script(std::string_view text) {
  return {names(text, "stddev"), names(text, "min") || names(text, "max"),
          names(text, "percentile")};
}

}  // namespace hastur
