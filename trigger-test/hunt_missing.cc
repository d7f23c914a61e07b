#include "trigger-test/hunt_missing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "trigger-test/script_words.h"

namespace hastur {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 13> of_hastur{
    "compound", "counter", "event", "gauge",   "hb_process", "heartbeat", "log",
    "mark",     "now",     "null",  "trigger", "us",         "utc"};
constexpr std::array<std::string_view, 13> of_string{"byte",    "char", "find",  "format", "gmatch",
                                                     "gsub",    "len",  "lower", "match",  "rep",
                                                     "reverse", "sub",  "upper"};
constexpr std::array<std::string_view, 4> of_table{"concat", "insert", "remove", "sort"};
constexpr std::array<std::string_view, 15> of_math{"abs",  "ceil", "exp",    "floor", "fmod",
                                                   "huge", "log",  "max",    "min",   "modf",
                                                   "pi",   "pow",  "random", "sin",   "sqrt"};
constexpr std::array<std::string_view, 3> of_os{"clock", "date", "time"};
constexpr std::array<std::string_view, 17> of_ctx{
    "alert", "counters", "errors", "events",  "every",    "gauges", "heartbeats", "keyed", "logs",
    "marks", "migrate",  "on",     "predict", "throttle", "was",    "window",     "state"};

struct Owner {
  std::string_view name;
  Names names;
};
const std::array<Owner, 6> owners{{{"hastur", of_hastur},
                                   {"string", of_string},
                                   {"table", of_table},
                                   {"math", of_math},
                                   {"os", of_os},
                                   {"ctx", of_ctx}}};

// What is had in another way.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> instead{{
    {"hastur.pager_duty", "it is a function of its own, pager_duty(key, text)"},
    {"hastur.slack", "it is a function of its own, slack(text)"},
    {"hastur.send_email", "it is a function of its own, send_email(to, subject, body)"},
    {"hastur.web_hook", "it is a function of its own, web_hook(…)"},
    {"table.unpack", "it is unpack(list) here"},
    {"table.getn", "it is #list"},
    {"string.split", "walk the parts, for part in text:gmatch(\"[^,]+\") do …"},
    {"string.trim", "text:match(\"^%s*(.-)%s*$\")"},
    {"math.round", "math.floor(number + 0.5)"},
    {"ctx.now", "it is hastur.now()"},
    {"ctx:now", "it is hastur.now()"},
    {"os.getenv", "a trigger has no environment; put what it needs into a local at the top"},
    {"string.gfind", "it is text:gmatch(pattern)"},
    {"table.pack", "it is { … }"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> globals{{
    {"coroutine", "triggers have no coroutines: keep in ctx.state how far you are"},
    {"io", "triggers have no files: put data into a lib/*.lua that returns it"},
    {"_G", "triggers have no table of globals: use locals, and ctx.state for what lasts"},
    {"load", "triggers cannot load code: put it into a lib/*.lua and require it"},
    {"loadstring", "triggers cannot load code: put it into a lib/*.lua and require it"},
    {"dofile", "triggers cannot load files: put it into a lib/*.lua and require it"},
    {"loadfile", "triggers cannot load files: put it into a lib/*.lua and require it"},
    {"debug", "triggers have no debug library: hastur.log, or trigger-test explain, shows values"},
    {"json",
     "there is no json library: msg:to_json() writes a message, and msg.data comes as a table"},
    {"ffi", "triggers have no ffi"},
    {"jit", "triggers have no jit library"},
    {"package", "triggers have no package library: require \"lib.x\" loads lib/x.lua"},
}};

// Levenshtein's.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t change = diagonal + (one[i] == other[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string name_after(std::string_view text, std::string_view begin) {
  const std::size_t at = text.find(begin);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = text.substr(at + begin.size());
  return std::string(rest.substr(0, rest.find('\'')));
}

// "hastur.guage" for guage, as the line writes it; empty if it is of something else.
std::string written(std::string_view line, std::string_view name) {
  for (std::size_t at = find_word(line, name); at != std::string_view::npos;
       at = find_word(line, name, at + 1)) {
    if (at < 2 || (line[at - 1] != '.' && line[at - 1] != ':')) continue;
    std::size_t begin = at - 1;
    while (begin > 0 && is_name_letter(line[begin - 1])) --begin;
    const bool is_field = begin > 0 && (line[begin - 1] == '.' || line[begin - 1] == ':');
    if (!is_field) return std::string(line.substr(begin, at + name.size() - begin));
  }
  return "";
}

std::string remedy_of_field(std::string_view line, const std::string& name) {
  const std::string whole = written(line, name);
  if (whole.empty()) return "";
  for (const auto& [known, remedy] : instead)
    if (known == whole) return fmt::format("there is no {}: {}", whole, remedy);
  const std::string_view owner_name =
      std::string_view(whole).substr(0, whole.size() - name.size() - 1);
  const auto owner = std::ranges::find(owners, owner_name, &Owner::name);
  if (owner == owners.end()) return "";
  const auto near = std::ranges::min_element(
      owner->names, {}, [&](std::string_view each) { return distance(each, name); });
  if (*near == name) return "";
  const char sign = whole[owner_name.size()];
  if (distance(*near, name) > 2 || distance(*near, name) + 1 >= name.size())
    return fmt::format("there is no {} (triggers/README.md says what there is)", whole);
  return fmt::format("there is no {}: did you mean {}{}{}?", whole, owner_name, sign, *near);
}

}  // namespace

std::string remedy_of_missing(std::string_view text, std::string_view line) {
  if (text.find("(a nil value)") == std::string_view::npos) return "";
  if (const std::string name = name_after(text, "global '"); !name.empty()) {
    for (const auto& [known, remedy] : globals)
      if (known == name) return std::string(remedy);
    return fmt::format(
        "there is no global '{}': it is misspelt, a local that is missing, or something that "
        "triggers do not have (triggers/README.md)",
        name);
  }
  for (const char* begin : {"call field '", "call method '"}) {
    if (const std::string name = name_after(text, begin); !name.empty())
      return remedy_of_field(line, name);
  }
  return "";
}

}  // namespace hastur
