#include "trigger-test/script_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <span>

#include "trigger-test/lua_tokens.h"

namespace hastur {
namespace {

constexpr double number_max = 1e9;
constexpr Micros span_max = std::chrono::weeks{1};

std::optional<double> number_in(std::string_view word) {
  if (word.empty() || word[0] < '0' || word[0] > '9') return std::nullopt;
  double number = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
  return read.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

// "a.b..c.d" is "a.b" and "c.d".
std::vector<std::string_view> operands_of(std::string_view word) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dots = word.find("..");
    if (const std::string_view part = word.substr(0, dots); !part.empty()) parts.push_back(part);
    if (dots == std::string_view::npos) return parts;
    word.remove_prefix(dots + 2);
  }
}

std::optional<Micros> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = number_in(text.substr(0, 2));
  const auto minutes = number_in(text.substr(3));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return std::chrono::hours{static_cast<int>(*hours)} +
         std::chrono::minutes{static_cast<int>(*minutes)};
}

class Reader {
 public:
  Reader(std::span<const LuaToken> tokens) : tokens_(tokens) {}

  void read() {
    for (at_ = 0; at_ < tokens_.size(); ++at_) note_subscription();
    for (at_ = 0; at_ < tokens_.size(); ++at_) note_named_function();
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      if (token(0).kind == LuaToken::Kind::text) {
        text(token(0).text);
      } else if (token(0).kind == LuaToken::Kind::word) {
        word();
      }
    }
  }

  std::set<double> numbers;
  std::set<std::string, std::less<>> texts, labels, counted_labels, fields;
  std::set<Micros> spans, times_of_day;

 private:
  const LuaToken& token(int ahead) const {
    static const LuaToken none{LuaToken::Kind::sign, "\0", 0};
    const auto at = static_cast<std::ptrdiff_t>(at_) + ahead;
    return at < 0 || at >= std::ssize(tokens_) ? none : tokens_[static_cast<std::size_t>(at)];
  }

  // ctx:gauges(…, function(NAME) … or ctx:gauges(…, FUNCTION)
  void note_subscription() {
    static const std::set<std::string_view> methods{
        "gauges",           "counters",      "marks",     "compounds", "compound",
        "events",           "logs",          "errors",    "messages",  "process_heartbeats",
        "agent_heartbeats", "registrations", "hb_agents", "infos",     "hb_processes"};
    if (!token(0).is(':') || !methods.contains(token(1).text) || !token(2).is('(')) return;
    int depth = 1;
    for (int i = 3; depth > 0 && at_ + static_cast<std::size_t>(i) < tokens_.size(); ++i) {
      if (token(i).is('(') || token(i).is('{')) ++depth;
      if (token(i).is(')') || token(i).is('}')) --depth;
      if (depth != 1 || !token(i).is(',')) continue;
      if (token(i + 1).is("function") && token(i + 2).is('(')) {
        parameters_.emplace(token(i + 3).text);
        return;
      }
      if (token(i + 1).kind == LuaToken::Kind::word) functions_.emplace(token(i + 1).text);
    }
  }

  // function NAME(… or NAME = function(…
  void note_named_function() {
    if (!token(0).is("function")) return;
    const bool assigned = token(1).is('(');
    const std::string_view name = assigned ? token(-2).text : token(1).text;
    const int open = assigned ? 1 : 2;
    if (functions_.contains(name) && token(open).is('(')) parameters_.emplace(token(open + 1).text);
  }

  void text(std::string_view text) {
    if (text.size() > 200) return;
    texts.emplace(text);
    if (const auto span = parse_span(text)) note_span(*span);
    if (const auto time = time_of_day(text)) {
      times_of_day.insert(*time);
      note_span(std::chrono::days{1});
    }
    static const std::vector<std::pair<std::string_view, Micros>> periods{
        {"second", std::chrono::seconds{1}},
        {"minute", std::chrono::minutes{1}},
        {"hour", std::chrono::hours{1}},
        {"day", std::chrono::days{1}},
        {"week", std::chrono::weeks{1}}};
    for (const auto& [name, period] : periods) {
      if (text == name) note_span(period);
    }
  }

  void word() {
    for (const std::string_view part : operands_of(token(0).text)) {
      if (const auto number = number_in(part)) {
        note_number(token(-1).is('-') && !is_operand(token(-2)) ? -*number : *number);
        if (token(1).is('*')) {
          if (const auto other = number_in(token(2).text)) note_number(*number * *other);
        }
      } else {
        name(part);
      }
    }
  }

  static bool is_operand(const LuaToken& token) {
    static const std::set<std::string_view> keywords{"return", "and", "or", "not", "then",
                                                     "do",     "if",  "in", "else"};
    if (token.kind == LuaToken::Kind::sign) return token.is(')') || token.is(']');
    return token.kind == LuaToken::Kind::text || !keywords.contains(token.text);
  }

  void name(std::string_view name) {
    std::size_t begin = name.find("labels.");
    if (begin != std::string_view::npos && (begin == 0 || name[begin - 1] == '.')) {
      label(name.substr(begin + 7));
    } else if (name.ends_with("labels") && token(1).is('[') &&
               token(2).kind == LuaToken::Kind::text) {
      label(token(2).text);
    }
    begin = name.find('.');
    if (begin == std::string_view::npos || !parameters_.contains(name.substr(0, begin))) return;
    const std::string_view field = name.substr(begin + 1);
    fields.emplace(field.substr(0, field.find('.')));
  }

  void label(std::string_view key) {
    key = key.substr(0, key.find('.'));
    if (key.empty()) return;
    labels.emplace(key);
    static constexpr std::string_view signs = "<>+-*/%";
    const auto counts = [&](const LuaToken& token) {
      return token.kind == LuaToken::Kind::sign && signs.find(token.text) != std::string_view::npos;
    };
    const bool equals_number = token(1).is('=') && token(2).is('=') && number_in(token(3).text);
    if (counts(token(1)) || counts(token(-1)) || equals_number) counted_labels.emplace(key);
  }

  void note_number(double number) {
    if (std::abs(number) <= number_max) numbers.insert(number);
    if (number >= us_per_second && std::fmod(number, us_per_second) == 0 && number < 1e12)
      note_span(Micros{static_cast<std::int64_t>(number)});
  }

  void note_span(Micros span) {
    if (span > Micros{0} && span <= span_max) spans.insert(span);
  }

  std::span<const LuaToken> tokens_;
  std::size_t at_ = 0;
  std::set<std::string, std::less<>> parameters_, functions_;
};

}  // namespace

ScriptWords words_of(const TriggerFiles& trigger) {
  std::vector<LuaToken> tokens = lua_tokens(trigger.script.text);
  for (const ScriptFile& library : trigger.libraries) {
    // "lib.pages" for lib/pages.lua.
    std::string name = library.path.substr(0, library.path.size() - 4);
    std::ranges::replace(name, '/', '.');
    if (trigger.script.text.find(name) == std::string::npos) continue;
    const std::vector<LuaToken> more = lua_tokens(library.text);
    tokens.insert(tokens.end(), more.begin(), more.end());
  }
  Reader reader(tokens);
  reader.read();
  ScriptWords words;
  words.numbers.assign(reader.numbers.begin(), reader.numbers.end());
  words.texts.assign(reader.texts.begin(), reader.texts.end());
  words.spans.assign(reader.spans.begin(), reader.spans.end());
  words.labels.assign(reader.labels.begin(), reader.labels.end());
  words.counted_labels.assign(reader.counted_labels.begin(), reader.counted_labels.end());
  words.fields.assign(reader.fields.begin(), reader.fields.end());
  words.times_of_day.assign(reader.times_of_day.begin(), reader.times_of_day.end());
  return words;
}

std::string_view source_line(const TriggerFiles& trigger, const std::string& script,
                             std::uint32_t line) {
  std::string_view text = trigger.script.text;
  if (script != trigger.script.path && !script.empty()) {
    const auto library = std::ranges::find(trigger.libraries, script, &ScriptFile::path);
    if (library == trigger.libraries.end()) return {};
    text = library->text;
  }
  for (; line > 1 && !text.empty(); --line) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (line == 0) return {};
  text = text.substr(0, text.find('\n'));
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace hastur
