#include "supervisor/deploy/script_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace hastur {
namespace {

namespace fs = std::filesystem;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view skip_spaces(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return std::nullopt;
  return text;
}

// "lib.a.b" → "lib/a/b.lua"
std::string module_path(std::string module) {
  std::ranges::replace(module, '.', '/');
  return module + ".lua";
}

// billing.test.lua, billing.test.json
bool is_test(const fs::path& path) {
  return path.filename().string().find(".test.") != std::string::npos;
}

bool is_below(const fs::path& path, const fs::path& root) {
  const auto [root_end, nothing] =
      std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return root_end == root.end();
}

struct Files {
  std::map<std::string, std::string> scripts;    // path → text
  std::map<std::string, std::string> libraries;  // path → text
};

Result<Files> read_files(const fs::path& root, std::vector<std::string>& problems) {
  Files files;
  std::error_code error;
  const fs::path real_root = fs::canonical(root, error);
  if (error) {
    return fail(ErrorCode::not_found, fmt::format("the triggers' directory {} cannot be read: {}",
                                                  root.string(), error.message()));
  }
  fs::recursive_directory_iterator walk(real_root, fs::directory_options::skip_permission_denied,
                                        error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const fs::path& path = walk->path();
    if (path.filename().string().starts_with(".")) {
      if (walk->is_directory(error)) walk.disable_recursion_pending();
      continue;
    }
    const std::string relative = path.lexically_relative(real_root).generic_string();
    if (!relative.ends_with(".lua") || is_test(path)) continue;
    std::error_code ignored;
    const fs::path real = fs::canonical(path, ignored);
    if (ignored || !is_below(real, real_root)) {
      problems.push_back(
          fmt::format("{}: a link that leads out of the directory is not followed", relative));
      continue;
    }
    if (!fs::is_regular_file(real, ignored)) continue;
    if (fs::file_size(real, ignored) > script_bytes_max) {
      problems.push_back(fmt::format("{}: larger than {} bytes", relative, script_bytes_max));
      continue;
    }
    auto text = read_file(real);
    if (!text) {
      problems.push_back(fmt::format("{}: cannot be read", relative));
      continue;
    }
    auto& kind = relative.starts_with("lib/") ? files.libraries : files.scripts;
    kind.emplace(relative, std::move(*text));
  }
  if (error) {
    return fail(ErrorCode::failed,
                fmt::format("the triggers' directory {} could not be read to its end: {}",
                            root.string(), error.message()));
  }
  return files;
}

// The libraries that `text` requires, and those that they require.
std::vector<ScriptFile> libraries_of(std::string_view text, const Files& files) {
  std::set<std::string> wanted;
  std::vector<std::string> open = required_modules(text);
  while (!open.empty()) {
    const std::string path = module_path(std::move(open.back()));
    open.pop_back();
    const auto found = files.libraries.find(path);
    // One that is missing is the script's load error, with its line.
    if (found == files.libraries.end() || !wanted.insert(path).second) continue;
    std::ranges::move(required_modules(found->second), std::back_inserter(open));
  }
  std::vector<ScriptFile> libraries;
  for (const std::string& path : wanted) libraries.push_back({path, files.libraries.at(path)});
  return libraries;
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

Result<ScriptSet> read_script_directory(const std::string& directory) {
  ScriptSet set;
  auto files = read_files(directory, set.problems);
  if (!files) return fail(files.error());
  for (const auto& [path, text] : files->scripts) {
    const TriggerName name = path.substr(0, path.size() - std::string_view(".lua").size());
    if (const auto checked = check_trigger_name(name); !checked) {
      set.problems.push_back(fmt::format("{}: {}", path, checked.error().message));
      continue;
    }
    set.scripts.push_back({name, make_version({path, text}, libraries_of(text, *files))});
  }
  return set;
}

}  // namespace hastur
