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
    if (at == 0 || (end < text.size() && is_word(text[end]))) continue;
    const char before = text[at - 1];
    if (before == ':' || before == '"' || before == '\'') return true;
    if (before == '.' && !text.substr(0, at).ends_with("math.")) return true;
  }
  return false;
}

}  // namespace

Window::Kept kept_by_script(std::string_view text) {
  return {names(text, "stddev"), names(text, "min") || names(text, "max"),
          names(text, "percentile")};
}

}  // namespace hastur
