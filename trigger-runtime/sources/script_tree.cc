#include "trigger-runtime/sources/script_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "message/message.h"

namespace hastur {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view skip_spaces(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

// "lib.a.b" → "lib/a/b.lua"
std::string module_path(std::string module) {
  std::ranges::replace(module, '.', '/');
  return module + ".lua";
}

// The libraries that `text` requires, and those that they require.
std::vector<ScriptFile> libraries_of(std::string_view text,
                                     const std::map<std::string, std::string>& files) {
  std::set<std::string> wanted;
  std::vector<std::string> open = required_modules(text);
  while (!open.empty()) {
    const std::string path = module_path(std::move(open.back()));
    open.pop_back();
    const auto found = files.find(path);
    // One that is missing is the script's load error, with its line.
    if (found == files.end() || !wanted.insert(path).second) continue;
    std::ranges::move(required_modules(found->second), std::back_inserter(open));
  }
  std::vector<ScriptFile> libraries;
  for (const std::string& path : wanted) libraries.push_back({path, files.at(path)});
  return libraries;
}

}  // namespace

bool is_test_path(std::string_view path) {
  return path.substr(path.rfind('/') + 1).find(".test.") != std::string_view::npos;
}

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

ScriptTree read_script_tree(const std::map<std::string, std::string>& files) {
  ScriptTree tree;
  for (const auto& [path, text] : files) {
    if (!path.ends_with(".lua") || path.starts_with("lib/") || is_test_path(path)) continue;
    const TriggerName name = path.substr(0, path.size() - std::string_view(".lua").size());
    if (const auto checked = check_trigger_name(name); !checked) {
      tree.problems.push_back(fmt::format("{}: {}", path, checked.error().message));
      continue;
    }
    tree.scripts.push_back({name, {path, text}, libraries_of(text, files)});
  }
  return tree;
}

}  // namespace hastur
