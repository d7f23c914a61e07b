#include "trigger-test/trigger_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>

#include "core/printable.h"
#include "message/message.h"
#include "trigger-runtime/protocol/required_modules.h"
#include "trigger-runtime/sources/script_tree.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

// No script is larger.
constexpr std::uintmax_t file_bytes_max = 1u << 20;

Failure cannot_read(const fs::path& path, const std::string& cause) {
  return fail(ErrorCode::not_found,
              fmt::format("cannot read {}: {}", printable(path.string()), cause));
}

// `path` as its author wrote it.
Result<std::string> read_file(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    return cannot_read(path, error ? error.message() : "it is no file");
  }
  errno = 0;
  const std::uintmax_t bytes = fs::file_size(path, error);
  if (!error && bytes > file_bytes_max) {
    return cannot_read(path, fmt::format("it has more than {} bytes", file_bytes_max));
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad()) return cannot_read(path, std::strerror(errno));
  return text;
}

// The marker .hastur/ wins wherever it stands: a folder billing/lib/ below it is no root.
std::optional<fs::path> root_above(const fs::path& script) {
  std::error_code ignored;
  std::optional<fs::path> by_habit;
  // A folder on the way may be there only once the script is written.
  bool comes_from_lib = false;
  for (fs::path folder = script.parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (folder == "/usr") break;
    const bool has_lib = comes_from_lib || fs::is_directory(folder / "lib", ignored);
    comes_from_lib = folder.filename() == "lib";
    if (fs::is_directory(folder / ".hastur", ignored)) return folder;
    const bool is_repo = fs::exists(folder / ".git", ignored);
    if (!by_habit && (is_repo || has_lib)) by_habit = folder;
    if (is_repo) break;
  }
  return by_habit;
}

// Whether a part of the path begins with a dot: such files and folders belong to other tools.
bool is_hidden(const fs::path& relative) {
  return std::ranges::any_of(relative,
                             [](const fs::path& part) { return part.string().starts_with('.'); });
}

Result<std::vector<ScriptFile>> read_libraries(const fs::path& root, std::string_view text) {
  std::optional<Error> failed;
  std::vector<ScriptFile> libraries =
      required_libraries(text, [&](const std::string& path) -> std::optional<std::string> {
        std::error_code error;
        const fs::file_status status = fs::status(root / path, error);
        if (failed || status.type() == fs::file_type::not_found) return std::nullopt;
        Result<std::string> library = read_file(root / path);
        if (library) return *std::move(library);
        failed = library.error();
        return std::nullopt;
      });
  if (failed) return fail(*failed);
  return libraries;
}

// Calls `visit` for what is no folder in this one and below it, but not in folders that
// `is_closed`. Fails for the first folder that cannot be read.
Result<void> visit_files(const fs::path& folder,
                         const std::function<bool(const fs::path&)>& is_closed,
                         const std::function<void(const fs::path&)>& visit) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code unknown;
    if (!entry->is_directory(unknown)) {
      visit(entry->path());
    } else if (!entry->is_symlink(unknown) && !is_closed(entry->path())) {
      HASTUR_TRY(visit_files(entry->path(), is_closed, visit));
    }
  }
  if (error) return cannot_read(folder, error.message());
  return {};
}

struct ScriptPlace {
  fs::path script;
  std::optional<fs::path> root;
  // From the root.
  fs::path relative;
  TriggerName name;
};

Result<ScriptPlace> place_of(const std::string& path) {
  std::error_code error;
  ScriptPlace place;
  place.script = fs::absolute(path, error).lexically_normal();
  const std::string file = place.script.filename().string();
  if (place.script.extension() != ".lua" || file.find(".test.") != std::string::npos) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is no trigger: a trigger is a file NAME.lua, not a test", path));
  }
  place.root = root_above(place.script);
  place.relative =
      place.root ? place.script.lexically_relative(*place.root) : place.script.filename();
  place.name = fs::path(place.relative).replace_extension().generic_string();
  if (is_hidden(place.relative)) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is no trigger: a name that begins with a dot is for tools", path));
  }
  if (place.name.starts_with("lib/")) {
    return fail(
        ErrorCode::invalid,
        fmt::format("{} is no trigger: what lies in lib/ is code for triggers to share", path));
  }
  if (const auto named = check_script_name(place.name); !named) {
    return fail(ErrorCode::invalid, fmt::format("{}: {}", path, named.error().message));
  }
  return place;
}

}  // namespace

Result<TriggerName> trigger_name_of(const std::string& path) {
  const auto place = place_of(path);
  return place ? Result<TriggerName>(place->name) : fail(place.error());
}

Result<TriggerFiles> find_trigger_files(const std::string& path) {
  Result<ScriptPlace> place = place_of(path);
  if (!place) return fail(place.error());
  Result<std::string> text = read_file(path);
  if (!text) return fail(text.error());
  TriggerFiles files;
  files.path = path;
  files.name = std::move(place->name);
  files.script = {place->relative.generic_string(), std::move(*text)};
  if (place->root) {
    auto libraries = read_libraries(*place->root, files.script.text);
    if (!libraries) return fail(libraries.error());
    files.libraries = std::move(*libraries);
  }
  return files;
}

Result<std::vector<ScriptFile>> libraries_of(const std::string& path, std::string_view text) {
  const std::optional<std::string> root = root_of(path);
  return root ? read_libraries(*root, text) : std::vector<ScriptFile>();
}

std::optional<std::string> root_of(const std::string& path) {
  std::error_code ignored;
  fs::path script = fs::absolute(path, ignored).lexically_normal();
  if (fs::is_directory(path, ignored)) script /= "x.lua";
  const std::optional<fs::path> root = root_above(script);
  return root ? std::optional(root->string()) : std::nullopt;
}

Result<std::vector<std::string>> list_triggers(const std::string& path) {
  std::error_code error;
  std::vector<std::string> found;
  if (!fs::exists(path, error))
    return cannot_read(path, error ? error.message() : "there is no such file or folder");
  if (!fs::is_directory(path, error)) {
    for (const char* ending : {".test.lua", ".test.json"}) {
      if (!path.ends_with(ending)) continue;
      return std::vector{path.substr(0, path.size() - std::string_view(ending).size()) + ".lua"};
    }
    return std::vector{path};
  }
  const std::optional<std::string> root = root_of(path);
  const auto shown = [&](const fs::path& file) {
    return path == "." ? file.lexically_relative(".").string() : file.string();
  };
  const auto is_closed = [&](const fs::path& folder) {
    const fs::path absolute = fs::absolute(folder, error).lexically_normal();
    return folder.filename().string().starts_with('.') ||
           (root && absolute == fs::path(*root) / "lib");
  };
  const auto visit = [&](const fs::path& at) {
    const std::string file = at.filename().string();
    if (file.starts_with('.')) return;
    for (const char* ending : {".test.lua", ".test.json"}) {
      if (!file.ends_with(ending)) continue;
      fs::path script = at;
      script.replace_filename(file.substr(0, file.size() - std::string_view(ending).size()) +
                              ".lua");
      if (!fs::exists(script, error)) found.push_back(shown(script));
    }
    if (at.extension() == ".lua" && file.find(".test.") == std::string::npos)
      found.push_back(shown(at));
  };
  HASTUR_TRY(visit_files(path, is_closed, visit));
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Result<std::string> read_script_file(const std::string& path) { return read_file(path); }

}  // namespace hastur
