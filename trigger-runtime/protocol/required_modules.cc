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

// What the text that begins here holds: "x", 'x', [[x]], [=[x]=]; empty for anything else.
std::string_view literal_at(std::string_view rest) {
  if (rest.starts_with('"') || rest.starts_with('\'')) {
    const std::size_t end = rest.find(rest.front(), 1);
    return end == std::string_view::npos ? std::string_view{} : rest.substr(1, end - 1);
  }
  const std::size_t level = rest.find_first_not_of('=', 1);
  if (!rest.starts_with('[') || level == std::string_view::npos || rest[level] != '[') return {};
  const std::string closing = "]" + std::string(level - 1, '=') + "]";
  rest.remove_prefix(level + 1);
  const std::size_t end = rest.find(closing);
  if (end == std::string_view::npos) return {};
  rest = rest.substr(0, end);
  // Lua leaves out an end of line that comes first.
  if (rest.starts_with('\r')) rest.remove_prefix(1);
  if (rest.starts_with('\n')) rest.remove_prefix(1);
  return rest;
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
    const std::string_view module = literal_at(rest);
    const bool well_formed =
        module.starts_with("lib.") && !module.ends_with('.') &&
        module.find("..") == std::string_view::npos &&
        std::ranges::all_of(module, [](char c) { return is_word(c) || c == '.' || c == '-'; });
    if (well_formed) modules.emplace(module);
  }
  return {modules.begin(), modules.end()};
}

std::vector<ScriptFile> required_libraries(
    std::string_view text,
    const std::function<std::optional<std::string>(const std::string& path)>& read) {
  std::vector<ScriptFile> libraries;
  std::set<std::string> asked;
  std::vector<std::string> open = required_modules(text);
  while (!open.empty()) {
    const std::string path = module_path(std::move(open.back()));
    open.pop_back();
    if (!asked.insert(path).second) continue;
    std::optional<std::string> library = read(path);
    if (!library) continue;
    std::ranges::move(required_modules(*library), std::back_inserter(open));
    libraries.push_back({path, *std::move(library)});
  }
  std::ranges::sort(libraries, {}, &ScriptFile::path);
  return libraries;
}

std::string module_path(std::string module) {
  std::ranges::replace(module, '.', '/');
  return module + ".lua";
}

}  // namespace hastur
