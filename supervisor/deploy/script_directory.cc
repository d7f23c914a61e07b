#include "supervisor/deploy/script_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/printable.h"
#include "trigger-runtime/sources/script_tree.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return std::nullopt;
  return text;
}

bool is_below(const fs::path& path, const fs::path& root) {
  const auto [root_end, nothing] =
      std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return root_end == root.end();
}

using Files = std::map<std::string, std::string>;  // path → text

Result<Files> read_files(const fs::path& root, std::vector<std::string>& problems) {
  Files files;
  std::error_code error;
  const fs::path real_root = fs::canonical(root, error);
  if (error) {
    return fail(ErrorCode::not_found, fmt::format("the triggers' directory {} cannot be read: {}",
                                                  root.string(), error.message()));
  }
  // What may not be read the walk takes for empty, also where it begins.
  fs::directory_iterator(real_root, error);
  if (error) {
    return fail(ErrorCode::failed, fmt::format("the triggers' directory {} cannot be read: {}",
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
    const auto problem = [&](std::string_view what) {
      problems.push_back(fmt::format("{}: {}", printable(relative), what));
    };
    std::error_code broken;
    if (walk->is_symlink(broken) && walk->is_directory(broken)) {
      problem("a link to a folder is not followed; copy what it points at");
      continue;
    }
    if (walk->is_directory(broken)) {
      // The walk passes over what it may not read, and says nothing.
      fs::directory_iterator(path, broken);
      if (broken) problem(fmt::format("a folder that cannot be read: {}", broken.message()));
      continue;
    }
    if (!relative.ends_with(".lua") || is_test_path(relative)) continue;
    const fs::path real = fs::canonical(path, broken);
    if (broken) {
      problem(fmt::format("cannot be followed: {}", broken.message()));
      continue;
    }
    if (!is_below(real, real_root)) {
      problem("a link that leads out of the directory is not followed");
      continue;
    }
    if (fs::is_directory(real, broken)) continue;
    if (!fs::is_regular_file(real, broken)) {
      problem("no file that can be read, but a pipe, a socket or a device");
      continue;
    }
    if (fs::file_size(real, broken) > script_bytes_max) {
      problem(fmt::format("larger than {} bytes", script_bytes_max));
      continue;
    }
    auto text = read_file(real);
    if (!text) {
      problem("cannot be read");
      continue;
    }
    files.emplace(relative, std::move(*text));
  }
  if (error) {
    return fail(ErrorCode::failed,
                fmt::format("the triggers' directory {} could not be read to its end: {}",
                            root.string(), error.message()));
  }
  return files;
}

}  // namespace

Result<ScriptSet> read_script_directory(const std::string& directory) {
  std::vector<std::string> problems;
  auto files = read_files(directory, problems);
  if (!files) return fail(files.error());
  ScriptSet set = make_script_set(*files);
  set.problems.insert(set.problems.begin(), problems.begin(), problems.end());
  return set;
}

}  // namespace hastur
