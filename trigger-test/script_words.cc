#include "trigger-test/script_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
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
    for (at_ = 0; at_ < tokens_.size(); ++at_) note_alias();
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      if (token(0).kind == LuaToken::Kind::text) {
        text(token(0).text);
      } else if (token(0).kind == LuaToken::Kind::word) {
        word();
      }
    }
  }

  std::set<double> numbers;
  std::set<std::string, std::less<>> texts, keys, labels, counted_labels, fields, places;
  ScriptWords::Texts field_texts, label_texts;
  std::map<std::string, std::string, std::less<>> entries;
  std::set<Micros> spans, times_of_day;

  std::map<std::string, std::string, std::less<>> aliases() const {
    std::map<std::string, std::string, std::less<>> paths;
    for (const auto& [name, operand] : aliases_) paths.emplace(name, operand.path());
    return paths;
  }

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

  // What a text is compared with: a field of the message, or one of its labels.
  struct Operand {
    enum class Kind : std::uint8_t { field, label, labels };
    Kind kind = Kind::field;
    std::string_view name;
    // How many tokens it takes.
    int size = 1;

    std::string path() const { return (kind == Kind::label ? "labels." : "") + std::string(name); }
  };

  // msg.NAME, msg.labels.NAME, msg.labels["NAME"], or a local that is one of these.
  std::optional<Operand> operand_at(int ahead) const {
    if (token(ahead).kind != LuaToken::Kind::word) return std::nullopt;
    std::string_view path = token(ahead).text;
    Operand operand;
    const std::size_t dot = path.find('.');
    const std::string_view first = path.substr(0, dot);
    if (const auto alias = aliases_.find(first); alias != aliases_.end()) {
      operand = alias->second;
      path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    } else if (dot != std::string_view::npos && parameters_.contains(first)) {
      path.remove_prefix(dot + 1);
      operand.name = path.substr(0, path.find('.'));
      if (operand.name == "labels") operand.kind = Operand::Kind::labels;
      path.remove_prefix(std::min(path.size(), operand.name.size() + 1));
    } else {
      return std::nullopt;
    }
    operand.size = 1;
    if (operand.kind != Operand::Kind::labels) return operand;
    if (!path.empty()) {
      operand.name = path.substr(0, path.find('.'));
    } else if (token(ahead + 1).is('[') && token(ahead + 2).kind == LuaToken::Kind::text) {
      operand.name = token(ahead + 2).text;
      operand.size = 4;
    } else {
      return operand;
    }
    operand.kind = Operand::Kind::label;
    return operand;
  }

  // NAME = msg.labels.env
  void note_alias() {
    if (token(0).kind != LuaToken::Kind::word || !token(1).is('=') || token(2).is('=')) return;
    const std::size_t dot = token(0).text.rfind('.');
    if (dot != std::string_view::npos || token(-1).is('{') || token(-1).is(',')) {
      if (const auto operand = operand_at(2))
        entries.emplace(token(0).text.substr(dot + 1), operand->path());
      return;
    }
    if (const auto operand = operand_at(2)) aliases_.emplace(token(0).text, *operand);
  }

  // The texts that an operand is compared with or searched for.
  void note_comparison(const Operand& operand) {
    const auto equals = [&](int first) {
      return (token(first).is('=') || token(first).is('~')) && token(first + 1).is('=');
    };
    const auto note = [&](const LuaToken& other) {
      if (other.kind != LuaToken::Kind::text || other.text.empty() || other.text.size() > 200)
        return;
      auto& all = operand.kind == Operand::Kind::label ? label_texts : field_texts;
      all[std::string(operand.name)].emplace(other.text);
    };
    const int after = operand.size;
    if (equals(after)) note(token(after + 2));
    if (equals(-2)) note(token(-3));
    // msg.subject:find("…") and string.find(msg.subject, "…")
    if (token(after).is(':') && token(after + 2).is('(')) note(token(after + 3));
    if (token(-1).is('(') && token(-2).text.starts_with("string.") && token(after).is(','))
      note(token(after + 1));
  }

  // t[…, not far before.
  bool is_in_brackets() const {
    constexpr int far = 6;
    for (int i = -1; i >= -far; --i) {
      if (token(i).is('[')) return true;
      if (token(i).is(']') || token(i).is('=') || token(i).is(',') || token(i).is('{'))
        return false;
    }
    return false;
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
    if (const auto operand = operand_at(0)) {
      if (operand->kind == Operand::Kind::label) labels.emplace(operand->name);
      if (operand->kind != Operand::Kind::labels) note_comparison(*operand);
      if (is_in_brackets()) places.insert(operand->path());
    }
    const bool is_entry = (token(-1).is('{') || token(-1).is(',')) && token(1).is('=') &&
                          !token(2).is('=') && token(0).text.size() <= 200;
    if (is_entry) keys.emplace(token(0).text);
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
  std::map<std::string, Operand, std::less<>> aliases_;
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
  words.keys.assign(reader.keys.begin(), reader.keys.end());
  words.field_texts = std::move(reader.field_texts);
  words.label_texts = std::move(reader.label_texts);
  words.aliases = reader.aliases();
  words.entries = std::move(reader.entries);
  words.places.assign(reader.places.begin(), reader.places.end());
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

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Where `name` stands in `line` as a word of its own.
std::size_t find_word(std::string_view line, std::string_view name, std::size_t from) {
  for (std::size_t at = line.find(name, from); at != std::string_view::npos;
       at = line.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_name_letter(line[at - 1])) &&
        (end == line.size() || !is_name_letter(line[end])))
      return at;
  }
  return std::string_view::npos;
}

}  // namespace hastur
