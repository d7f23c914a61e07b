#include "trigger-test/new_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/printable.h"
#include "core/suggest.h"
#include "trigger-test/templates.h"
#include "trigger-test/trigger_files.h"
#include "trigger-test/written_file.h"

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

// As a shell reads it as one word.
std::string quoted(const std::string& word) {
  const bool is_plain = std::ranges::all_of(word, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::strchr("/._-+,:@%=", c) != nullptr;
  });
  if (is_plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
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
  if (const auto written = write_whole_file(script, chosen->script, Existing::stays); !written)
    return stop(ExitCode::usage, written.error().message);
  if (const auto written = write_whole_file(test, chosen->test, Existing::stays); !written) {
    fs::remove(script, error);
    return stop(ExitCode::usage, written.error().message);
  }
  // The first line of a template says what it does.
  std::string_view about = chosen->script.substr(0, chosen->script.find('\n'));
  about.remove_prefix(std::min<std::size_t>(about.find_first_not_of("- "), about.size()));
  fmt::print("{}\n  {}\n  {}\n\nTry it: trigger-test {}\n", about, printable(script),
             printable(test), printable(quoted(script)));
  return ExitCode::good;
}

}  // namespace hastur
