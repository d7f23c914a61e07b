#include "trigger-runtime/sources/script_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "message/message.h"
#include "trigger-runtime/protocol/required_modules.h"

namespace hastur {
namespace {

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

std::vector<std::string> test_paths(std::string_view script) {
  const std::string name(script.substr(0, script.rfind(".lua")));
  return {name + ".test.lua", name + ".test.json"};
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
    if (name.starts_with("hastur/")) {
      tree.problems.push_back(
          fmt::format("{}: names that begin with hastur/ are the platform's own", path));
      continue;
    }
    tree.scripts.push_back({name, {path, text}, libraries_of(text, files)});
  }
  return tree;
}

}  // namespace hastur
