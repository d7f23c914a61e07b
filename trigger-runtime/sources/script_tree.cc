#include "trigger-runtime/sources/script_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/printable.h"
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

bool is_recording_path(std::string_view path) {
  return path.ends_with(".jsonl") || (path.ends_with(".json") && !is_test_path(path));
}

// Whether a recording is named other than by a text: recording = name, recording = "a" .. b
bool makes_up_a_name(std::string_view text) {
  constexpr std::string_view word = "recording";
  const auto skip_spaces = [](std::string_view rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    return rest;
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    std::string_view rest = text.substr(at + word.size());
    // ["recording"] = …, "recording": …
    while (rest.starts_with('"') || rest.starts_with('\'') || rest.starts_with(']'))
      rest.remove_prefix(1);
    rest = skip_spaces(rest);
    if (!rest.starts_with('=') && !rest.starts_with(':')) continue;
    rest = skip_spaces(rest.substr(1));
    if (!rest.starts_with('"') && !rest.starts_with('\'')) return true;
    const std::size_t end = rest.find(rest.front(), 1);
    if (end == std::string_view::npos || skip_spaces(rest.substr(end + 1)).starts_with(".."))
      return true;
  }
  return false;
}

}  // namespace

bool is_test_path(std::string_view path) {
  return path.substr(path.rfind('/') + 1).find(".test.") != std::string_view::npos;
}

std::vector<std::string> test_paths(std::string_view script) {
  const std::string name(script.substr(0, script.rfind(".lua")));
  return {name + ".test.lua", name + ".test.json"};
}

std::map<std::string, std::string> test_sources(std::string_view script,
                                                const std::map<std::string, std::string>& files) {
  std::map<std::string, std::string> sources;
  for (const std::string& path : test_paths(script)) {
    const auto test = files.find(path);
    if (test == files.end()) continue;
    sources.insert(*test);
    for (ScriptFile& library : libraries_of(test->second, files))
      sources.emplace(std::move(library.path), std::move(library.text));
  }
  // Recordings are read by none of these, so that what names them is all there.
  const std::map<std::string, std::string> readers = sources;
  for (const auto& [path, text] : files) {
    if (!is_recording_path(path)) continue;
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool is_read = std::ranges::any_of(readers, [&](const auto& reader) {
      return reader.second.find(name) != std::string::npos || makes_up_a_name(reader.second);
    });
    if (is_read) sources.emplace(path, text);
  }
  return sources;
}

ScriptTree read_script_tree(const std::map<std::string, std::string>& files) {
  ScriptTree tree;
  for (const auto& [path, text] : files) {
    if (!path.ends_with(".lua") || path.starts_with("lib/") || is_test_path(path)) continue;
    const TriggerName name = path.substr(0, path.size() - std::string_view(".lua").size());
    if (const auto checked = check_trigger_name(name); !checked) {
      tree.problems.push_back(fmt::format("{}: {}", printable(path), checked.error().message));
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
