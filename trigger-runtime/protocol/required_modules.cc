#include "trigger-runtime/protocol/required_modules.h"

#include <algorithm>
#include <set>

namespace hastur {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view skip_spaces(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

}  // namespace

std::vector<std::string> required_modules(std::string_view text) {
  constexpr std::string_view word = "require";
  std::set<std::string> modules;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if (at > 0 && is_word(text[at - 1])) continue;
    std::string_view rest = skip_spaces(text.substr(at + word.size()));
    if (rest.starts_with('(')) rest = skip_spaces(rest.substr(1));
    if (!rest.starts_with('"') && !rest.starts_with('\'')) continue;
    const std::size_t end = rest.find(rest.front(), 1);
    if (end == std::string_view::npos) continue;
    const std::string_view module = rest.substr(1, end - 1);
    const bool well_formed =
        module.starts_with("lib.") && !module.ends_with('.') &&
        module.find("..") == std::string_view::npos &&
        std::ranges::all_of(module, [](char c) { return is_word(c) || c == '.' || c == '-'; });
    if (well_formed) modules.emplace(module);
  }
  return {modules.begin(), modules.end()};
}

std::string module_path(std::string module) {
  std::ranges::replace(module, '.', '/');
  return module + ".lua";
}

}  // namespace hastur
