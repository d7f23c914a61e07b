#include "trigger-runtime/sources/script_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/printable.h"
#include "message/message.h"
#include "trigger-runtime/protocol/required_modules.h"

namespace hastur {
namespace {

std::vector<ScriptFile> libraries_of(std::string_view text,
                                     const std::map<std::string, std::string>& files) {
  return required_libraries(text, [&](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  });
}

// Empty for what is no test file.
std::string script_of_test(std::string_view path) {
  for (const std::string_view ending : {".test.lua", ".test.json"}) {
    if (path.ends_with(ending) && path.size() > ending.size())
      return std::string(path.substr(0, path.size() - ending.size())) + ".lua";
  }
  return {};
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

Result<void> check_script_name(std::string_view name) {
  HASTUR_TRY(check_trigger_name(name));
  if (name.starts_with("hastur/"))
    return fail(ErrorCode::invalid, "names that begin with hastur/ are the platform's own");
  return {};
}

bool is_recording_name(std::string_view path) {
  return path.ends_with(".jsonl") || (path.ends_with(".json") && !is_test_path(path));
}

bool is_test_path(std::string_view path) {
  return path.substr(path.rfind('/') + 1).find(".test.") != std::string_view::npos;
}

std::vector<std::string> test_paths(std::string_view script) {
  const std::string name(script.substr(0, script.rfind(".lua")));
  return {name + ".test.lua", name + ".test.json"};
}

TestReaders::TestReaders(std::string_view script, const std::map<std::string, std::string>& files) {
  for (const std::string& path : test_paths(script)) {
    const auto test = files.find(path);
    if (test == files.end()) continue;
    readers_.insert(*test);
    for (ScriptFile& library : libraries_of(test->second, files))
      readers_.emplace(std::move(library.path), std::move(library.text));
  }
  reads_any_ = std::ranges::any_of(
      readers_, [](const auto& reader) { return makes_up_a_name(reader.second); });
}

bool TestReaders::reads(std::string_view path) const {
  if (readers_.empty() || !is_recording_name(path)) return false;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return reads_any_ || std::ranges::any_of(readers_, [&](const auto& reader) {
           return reader.second.find(name) != std::string::npos;
         });
}

std::map<std::string, std::string> test_sources(std::string_view script,
                                                const std::map<std::string, std::string>& files) {
  const TestReaders readers(script, files);
  std::map<std::string, std::string> sources = readers.files();
  for (const auto& [path, text] : files) {
    if (readers.reads(path)) sources.emplace(path, text);
  }
  return sources;
}

ScriptTree read_script_tree(const std::map<std::string, std::string>& files) {
  ScriptTree tree;
  for (const auto& [path, text] : files) {
    if (path.starts_with("lib/")) continue;
    if (const std::string script = script_of_test(path); !script.empty() && !files.contains(script))
      tree.problems.push_back(fmt::format("{} tests a trigger that is not there: {}",
                                          printable(path), printable(script)));
    if (!path.ends_with(".lua") || is_test_path(path)) continue;
    const TriggerName name = path.substr(0, path.size() - std::string_view(".lua").size());
    if (const auto checked = check_script_name(name); !checked) {
      tree.problems.push_back(fmt::format("{}: {}", printable(path), checked.error().message));
      continue;
    }
    tree.scripts.push_back({name, {path, text}, libraries_of(text, files)});
  }
  return tree;
}

}  // namespace hastur
