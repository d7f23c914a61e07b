#include "trigger-test/new_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/suggest.h"
#include "trigger-test/templates.h"
#include "trigger-test/trigger_files.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

const Template* find_template(const std::string& name) {
  const auto all = templates();
  const auto found = std::ranges::find(all, name, &Template::name);
  return found == all.end() ? nullptr : &*found;
}

std::string no_such_template(const std::string& name) {
  std::vector<std::string> names;
  for (const Template& each : templates()) names.emplace_back(each.name);
  const std::string near = nearest(name, names);
  return fmt::format("--like takes {}, not \"{}\"{}", fmt::join(names, ", "), name,
                     near.empty() ? "" : fmt::format(": did you mean {}?", near));
}

// A new file; fails if there is one already.
Result<void> write_new(const std::string& path, std::string_view text) {
  FILE* file = std::fopen(path.c_str(), "wxe");
  if (file == nullptr) {
    return fail(ErrorCode::conflict,
                errno == EEXIST ? fmt::format("{} exists already: nothing was written", path)
                                : fmt::format("cannot write {}: {}", path, strerror(errno)));
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int error = errno;
  if (std::fclose(file) == 0 && written) return {};
  std::error_code ignored;
  fs::remove(path, ignored);
  return fail(ErrorCode::unavailable, fmt::format("cannot write {}: {}", path, strerror(error)));
}

}  // namespace

ExitCode make_new(const NewCommand& command) {
  const Template* const chosen = find_template(command.like);
  if (chosen == nullptr) return stop(ExitCode::usage, no_such_template(command.like));
  const std::string base = command.path.ends_with(".lua")
                               ? command.path.substr(0, command.path.size() - 4)
                               : command.path;
  const std::string script = base + ".lua";
  const std::string test = base + ".test.lua";
  const auto name = trigger_name_of(script);
  if (!name) return stop(ExitCode::usage, name.error().message);
  std::error_code error;
  if (fs::exists(base + ".test.json", error))
    return stop(ExitCode::usage,
                fmt::format("{}.test.json exists already: nothing was written", base));
  if (const fs::path folder = fs::path(script).parent_path(); !folder.empty()) {
    fs::create_directories(folder, error);
    if (error) {
      return stop(ExitCode::usage,
                  fmt::format("cannot make the folder {}: {}", folder.string(), error.message()));
    }
  }
  if (const auto written = write_new(script, chosen->script); !written)
    return stop(ExitCode::usage, written.error().message);
  if (const auto written = write_new(test, chosen->test); !written) {
    fs::remove(script, error);
    return stop(ExitCode::usage, written.error().message);
  }
  // The first line of a template says what it does.
  std::string_view about = chosen->script.substr(0, chosen->script.find('\n'));
  about.remove_prefix(std::min<std::size_t>(about.find_first_not_of("- "), about.size()));
  fmt::print("{}\n  {}\n  {}\n\nTry it: trigger-test {}\n", about, script, test, script);
  return ExitCode::good;
}

}  // namespace hastur
