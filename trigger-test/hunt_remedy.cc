#include "trigger-test/hunt_remedy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "core/json.h"
#include "message/message.h"
#include "trigger-test/hunt_missing.h"
#include "trigger-test/hunt_unset.h"
#include "trigger-test/lua_tokens.h"

namespace hastur {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Whether the line divides by what may be 0.
bool divides(std::string_view line) {
  const std::vector<LuaToken> tokens = lua_tokens(line);
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const std::string_view divisor = tokens[i + 1].text;
    const bool is_number = tokens[i + 1].kind == LuaToken::Kind::word && divisor[0] >= '0' &&
                           divisor[0] <= '9' && divisor.find_first_of("123456789") < divisor.size();
    if ((tokens[i].is('/') || tokens[i].is('%')) && !is_number) return true;
  }
  return false;
}

// Whether it makes its number itself, and does not get it elsewhere.
bool adds_or_multiplies(std::string_view line) {
  const std::vector<LuaToken> tokens = lua_tokens(line);
  bool calculates = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const LuaToken& token = tokens[i];
    const bool calls = i > 0 && token.is('(') && tokens[i - 1].kind == LuaToken::Kind::word;
    const std::string_view function = calls ? tokens[i - 1].text : std::string_view();
    if (calls && !function.starts_with("math.") && !function.starts_with("hastur.")) return false;
    calculates = calculates || token.is('*') || token.is('+') || token.is('^');
  }
  return calculates;
}

// What a line that calculates must look at; empty if nothing of it can be infinite or no number.
std::string look_at(std::string_view line, std::string_view place) {
  const std::string at = place.empty() ? "" : fmt::format(" at {}", place);
  if (has(line, "math.sqrt(")) {
    return fmt::format(
        "look at what math.sqrt is given{}: what is below zero, be it by rounding, has no root, "
        "math.sqrt(math.max(0, …)){}",
        at, divides(line) ? "; and at the divisor before you divide" : "");
  }
  return divides(line) ? fmt::format("look at the divisor{} before you divide", at) : "";
}

// Of a number that is infinite or none.
std::string remedy_of_number(bool is_infinite, const FailedCall& call) {
  if (std::string here = look_at(call.line, ""); !here.empty()) return here;
  const std::string grows = "bound what is added or multiplied again and again";
  if (is_infinite && adds_or_multiplies(call.line)) return grows;
  for (auto ran = call.ran.rbegin(); ran != call.ran.rend(); ++ran) {
    if (std::string there = look_at(ran->line, ran->place); !there.empty()) return there;
  }
  return is_infinite ? grows : "look at the divisor before you divide, and keep no result of 0 / 0";
}

// Of a state that is no JSON: what the judgement said, and what to do about it.
std::string remedy_of_state(std::string_view text, const FailedCall& call) {
  if (has(text, "infinite")) return remedy_of_number(true, call);
  if (has(text, "not a number (nan)")) return remedy_of_number(false, call);
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> remedies{{
      {"is a function", "keep data in ctx.state, and functions in locals of the file"},
      {"both numbers and other things", "use strings as keys, tostring(key), or two tables"},
      {"has the key", "use strings as keys: tostring(key)"},
      {"stands elsewhere in the state", "keep a copy there, or the key under which it stands"},
      {"has a metatable", "keep plain tables in ctx.state, and pass them to functions of a local"},
      {"is larger than",
       "forget what is no longer needed, keep sums instead of lists, or ask for more with "
       "hastur.trigger{ state_bytes_max = \"16MiB\" }"},
      {"as a key: only strings can be", "use strings as keys: tostring(key)"},
      {"not UTF-8", "keep no cut-off or binary texts in ctx.state"},
      {"nested", "keep flat tables in ctx.state"},
  }};
  for (const auto& [part, remedy] : remedies) {
    if (has(text, part)) return std::string(remedy);
  }
  // The others name their own.
  return "";
}

// Whether the line reads the field or label at `path`, "subject" or "labels.env", or a local that
// stands for it.
bool speaks_of(std::string_view line, const ScriptWords& words, const std::string& path) {
  constexpr std::string_view labels = "labels.";
  const bool is_label = path.starts_with(labels);
  const std::string_view name = std::string_view(path).substr(is_label ? labels.size() : 0);
  if (find_word(line, name) != std::string_view::npos) return true;
  return std::ranges::any_of(words.aliases, [&](const auto& alias) {
    return alias.second == path && find_word(line, alias.first) != std::string_view::npos;
  });
}

// Whether each word of this name in the line says what holds without it, `msg.subject or "?"`.
bool is_guarded(std::string_view line, std::string_view name) {
  bool guarded = false;
  for (std::size_t at = find_word(line, name); at != std::string_view::npos;
       at = find_word(line, name, at + 1)) {
    std::string_view rest = line.substr(at + name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \"']"), rest.size()));
    guarded = rest.starts_with("or ") || rest.starts_with("and ");
    if (!guarded) return false;
  }
  return guarded;
}

// Of what is looked up by a number that the script did not think of; empty if it is no number.
std::string remedy_of_place(const std::string& read, std::string_view what, const Json& value) {
  if (!value.is_number()) return "";
  const double number = value.get<double>();
  if (std::floor(number) == number) {
    return fmt::format("{} may be {}: bound it in the filter, or check what is found there", what,
                       canonical_json(value));
  }
  return fmt::format(
      "{} may be {}, under which nothing stands: use math.floor({}), show by a test that it is a "
      "whole number, or check what is found there",
      what, canonical_json(value), read);
}

// What a label may be that the script did not think of; empty if that is not what failed.
std::string remedy_of_label(const std::string& name, const Json& labels, const Json& asked,
                            const ScriptWords& words, std::string_view text) {
  const auto label = labels.find(name);
  if (label == labels.end()) {
    if (!has(text, "nil")) return "";
    return fmt::format(
        "a message need not have the label '{0}': ask for it in the filter, "
        "labels = {{ {0} = true }}, or write what holds without it, msg.labels.{0} or …",
        name);
  }
  const bool is_place = std::ranges::binary_search(words.places, "labels." + name);
  if (has(text, "nil") && is_place && label->is_number())
    return remedy_of_place("msg.labels." + name, fmt::format("the label '{}'", name), *label);
  if (label->is_null() && !has(text, "nil")) {
    return fmt::format(
        "the label '{0}' may be null: check it, if msg.labels.{0} ~= hastur.null then …", name);
  }
  if (label->is_boolean() &&
      (has(text, "boolean") || has(text, "got true") || has(text, "got false"))) {
    return fmt::format(
        "the label '{0}' may be true or false: use tostring(msg.labels.{0}) as a text, or compare "
        "it, msg.labels.{0} == true",
        name);
  }
  if (label->is_number() && has(text, "a number value")) {
    return fmt::format("the label '{0}' may be a number: use tostring(msg.labels.{0})", name);
  }
  if (*label == "" && has(text, "this one has 0")) {
    return fmt::format(
        "the label '{0}' may be an empty text: leave it out in the filter, "
        "none_of = {{ labels = {{ {0} = \"\" }} }}",
        name);
  }
  const bool calculates = has(text, "compare") || has(text, "arithmetic") || has(text, "string");
  if (!label->is_string() || !calculates || has(text, "nil")) return "";
  if (asked.is_object() && asked.contains(name) && asked[name].is_string()) {
    return fmt::format(
        "the filter asks for the label '{0}' as a text, {1}: calculate with "
        "tonumber(msg.labels.{0}), "
        "or ask for a number in the filter, labels = {{ {0} = {{ at_least = 0 }} }}",
        name, canonical_json(asked[name]));
  }
  return fmt::format(
      "the label '{0}' may be a text: ask for a number in the filter, "
      "labels = {{ {0} = {{ at_least = 0 }} }}, or use tonumber(msg.labels.{0})",
      name);
}

// Whether a script reads nil there: it is not in the message, or a null that counts as that.
bool is_absent(const Json& message, const std::string& name) {
  const auto field = message.find(name);
  if (field == message.end()) return true;
  const auto type = type_from_name(message.value("type", ""));
  return field->is_null() && type &&
         std::ranges::binary_search(optional_fields(*type), std::string_view(name));
}

std::string remedy_of_field(const std::string& name, const Json& message, const ScriptWords& words,
                            std::string_view text) {
  // What every msg has besides the fields of its body.
  static constexpr std::array always{"timestamp", "received_at", "host", "uuid", "labels", "type"};
  if (std::ranges::find(always, name) != always.end()) return "";
  const std::string type = message.value("type", "");
  if (is_absent(message, name)) {
    // A counter's delta is 1 then.
    if (!has(text, "nil") || (type == "counter" && name == "value")) return "";
    if (name == "hostname") {
      return "a sender that has never registered has no hostname: use msg.host, which is the uuid "
             "then";
    }
    return fmt::format("a message need not have the field '{0}': check it, if msg.{0} then …",
                       name);
  }
  const Json& field = message[name];
  const bool is_mark = type == "mark";
  // Of a table nothing can be called, and it is no text.
  if (field.is_object() && (has(text, "table") || has(text, "call method"))) {
    return fmt::format(
        "the field '{0}' may be a table: check it, if type(msg.{0}) == \"string\" then …", name);
  }
  if (has(text, "nil")) {
    const bool is_place = std::ranges::binary_search(words.places, name);
    return is_place ? remedy_of_place("msg." + name, fmt::format("the {}", name), field) : "";
  }
  if (field.is_null()) {
    return fmt::format(
        "{} may be null: check it, if msg.{} ~= hastur.null then …",
        is_mark && name == "value" ? "a mark's value" : fmt::format("the field '{}'", name), name);
  }
  if (name == "value" && (field.is_string() || field.is_boolean()) && !is_mark) {
    return "the value of a heartbeat may be a number, a text, true, false or absent: check it, "
           "if type(msg.value) == \"number\" then …";
  }
  return "";
}

// Whether the error names the field or label at `path`: "field 'subject'", or "local 's'" where `s`
// stands for it.
bool names(std::string_view text, const ScriptWords& words, std::string_view path) {
  for (const std::string_view kind : {"local '", "upvalue '", "field '"}) {
    const std::size_t at = text.find(kind);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at + kind.size());
    const std::string_view name = rest.substr(0, rest.find('\''));
    const bool is_field = kind == "field '";
    if (is_field && (path == name || path == fmt::format("labels.{}", name))) return true;
    if (is_field) {
      const auto entry = words.entries.find(name);
      return entry != words.entries.end() && entry->second == path;
    }
    const auto alias = words.aliases.find(name);
    return alias != words.aliases.end() && alias->second == path;
  }
  return false;
}

// Whether the error names a field that is none of a message, nor made of one of its fields.
bool names_another_field(std::string_view text, const ScriptWords& words) {
  constexpr std::string_view kind = "field '";
  const std::size_t at = text.find(kind);
  if (at == std::string_view::npos) return false;
  const std::string_view rest = text.substr(at + kind.size());
  const std::string name(rest.substr(0, rest.find('\'')));
  return name != "?" && !std::ranges::binary_search(words.fields, name) &&
         !std::ranges::binary_search(words.labels, name) && !words.entries.contains(name);
}

// Of what the error names first, then of what the line speaks of, then of anything that the script
// reads: it may have got another name on its way.
std::string remedy_of_message(std::string_view text, const FailedCall& call,
                              const ScriptWords& words) {
  const auto& [message, filter, line, unused] = call;
  if (!message.is_object()) return "";
  const auto part = [](const Json& object, const char* key) {
    const bool has_it = object.is_object() && object.contains(key) && object[key].is_object();
    return has_it ? object[key] : Json::object();
  };
  const Json labels = part(message, "labels");
  const Json asked = part(filter, "labels");
  // The value that is added stands last.
  std::string_view value;
  if (has(text, "the value must be")) {
    const std::size_t comma = line.rfind(',');
    if (comma != std::string_view::npos) value = line.substr(comma + 1);
  }
  const bool is_other = names_another_field(text, words);
  enum class Near : std::uint8_t { named, on_the_line, anywhere };
  const auto nearness = [&](const std::string& path, const std::string& name, bool absent) {
    if (names(text, words, path) || speaks_of(value, words, path))
      return std::optional(Near::named);
    // Another one failed.
    if (is_other || (absent && is_guarded(line, name))) return std::optional<Near>();
    return std::optional(speaks_of(line, words, path) ? Near::on_the_line : Near::anywhere);
  };
  for (const Near near : {Near::named, Near::on_the_line, Near::anywhere}) {
    for (const std::string& name : words.labels) {
      if (nearness("labels." + name, name, !labels.contains(name)) != near) continue;
      const bool counts = std::ranges::binary_search(words.counted_labels, name);
      if (near == Near::anywhere && labels.contains(name) && !counts) continue;
      const std::string remedy = remedy_of_label(name, labels, asked, words, text);
      if (!remedy.empty()) return remedy;
    }
    for (const std::string& name : words.fields) {
      if (nearness(name, name, is_absent(message, name)) != near) continue;
      const std::string remedy = remedy_of_field(name, message, words, text);
      if (!remedy.empty()) return remedy;
    }
  }
  return "";
}

}  // namespace

std::string remedy_of(const CallError& error, const FailedCall& call, const ScriptWords& words,
                      const TriggerFiles& trigger) {
  const std::string& text = error.error.text;
  const std::string_view line = call.line;
  switch (error.kind) {
    case CallError::Kind::judgement:
      return remedy_of_state(text, call);
    case CallError::Kind::instructions:
      return "bound the loop; keep sums in ctx.state, not lists that are walked for each message";
    case CallError::Kind::memory:
      if (has(text, "stack is full"))
        return "a function calls itself without end, or hands on very many arguments";
      return "make no texts or tables that grow with the number of messages";
    case CallError::Kind::raised:
      break;
  }
  if (has(text, "derived") && has(text, "times over")) {
    return "it feeds itself: leave out own = true, or exclude what it derives with none_of = "
           "{ name = … }";
  }
  if (std::string missing = remedy_of_missing(text, line); !missing.empty()) return missing;
  if (has(text, "attempt to index a nil value") && has(line, ":peek(")) {
    return "peek gives nil for a key that there is not: check it, local it = …:peek(k) "
           "if it then …, or use at(k)";
  }
  if (has(text, "in a pattern")) {
    return "a text of a message is no pattern: search with find(part, 1, true), put in what it "
           "says "
           "by a function, gsub(what, function() return text end)";
  }
  // It says itself what to do.
  if (has(text, "require works only")) return "";
  const std::string unset = remedy_of_unset(trigger, text, line, call.message);
  // Which of two it compared was nil, the error does not say.
  if (!unset.empty() && !has(text, "attempt to compare")) return unset;
  if (std::string remedy = remedy_of_message(text, call, words); !remedy.empty()) return remedy;
  if (!unset.empty()) return unset;
  if (has(text, "(nan)") || has(text, "infinite")) return remedy_of_state(text, call);
  if (has(text, "is not finite")) return remedy_of_number(true, call);
  if (has(text, "stack overflow")) return "a function calls itself without end";
  if (has(text, "only while the script is loaded"))
    return "subscriptions stand at the top of the file";
  // Errors of our own functions say what they take.
  if (!has(text, "attempt to") && !has(text, "bad argument") && !has(text, "index is nil"))
    return "";
  return "check what may be absent or of another type before you use it";
}

std::string described(const Json& message) {
  if (!message.is_object()) return "a tick";
  std::string text = message.value("type", "message");
  const bool vowel = !text.empty() && std::string_view("aeiou").find(text[0]) != std::string::npos;
  text = (vowel ? "an " : "a ") + text;
  if (const auto name = message.find("name"); name != message.end() && name->is_string())
    text += fmt::format(" \"{}\"", name->get<std::string>());
  return text;
}

std::string kind_of(const CallError& error) {
  std::string text = error.error.text;
  if (error.kind == CallError::Kind::judgement) {
    // state.servers["web1"].callback is a function
    const std::string path = text.substr(0, text.find(' '));
    const std::size_t first = std::min(path.find_first_of(".["), path.size() - 1);
    text = path.substr(0, path.find_first_of(".[", first + 1));
  }
  return fmt::format("{} {}:{} {}", static_cast<int>(error.kind), error.error.script,
                     error.error.line, text);
}

std::string_view found_by(CallError::Kind kind) {
  switch (kind) {
    case CallError::Kind::raised:
      return "error";
    case CallError::Kind::instructions:
      return "instructions";
    case CallError::Kind::memory:
      return "memory";
    case CallError::Kind::judgement:
      return "state";
  }
  return "";
}

}  // namespace hastur
