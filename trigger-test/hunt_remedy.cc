#include "trigger-test/hunt_remedy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/json.h"
#include "trigger-test/hunt_missing.h"

namespace hastur {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Of a state that is no JSON: what the judgement said, and what to do about it.
std::string remedy_of_state(std::string_view text, std::string_view line) {
  if (has(text, "infinite") && !has(line, "/"))
    return "bound what is added or multiplied again and again";
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> remedies{{
      {"is a function", "keep data in ctx.state, and functions in locals of the file"},
      {"not a number (nan)", "look at the divisor before you divide, and keep no result of 0 / 0"},
      {"infinite", "look at the divisor before you divide"},
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

// What a label may be that the script did not think of; empty if that is not what failed.
std::string remedy_of_label(const std::string& name, const Json& labels, const Json& asked,
                            std::string_view text) {
  const auto label = labels.find(name);
  if (label == labels.end()) {
    if (!has(text, "nil")) return "";
    return fmt::format(
        "a message need not have the label '{0}': ask for it in the filter, "
        "labels = {{ {0} = true }}, or write what holds without it, msg.labels.{0} or …",
        name);
  }
  if (label->is_null()) {
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

std::string remedy_of_field(const std::string& name, const Json& message, std::string_view text) {
  // What every msg has besides the fields of its body.
  static constexpr std::array always{"timestamp", "received_at", "host", "uuid", "labels", "type"};
  if (std::ranges::find(always, name) != always.end()) return "";
  const auto field = message.find(name);
  if (field == message.end()) {
    if (!has(text, "nil")) return "";
    if (name == "hostname") {
      return "a sender that has never registered has no hostname: use msg.host, which is the uuid "
             "then";
    }
    return fmt::format("a message need not have the field '{0}': check it, if msg.{0} then …",
                       name);
  }
  const bool is_mark = message.value("type", "") == "mark";
  if (field->is_null()) {
    return fmt::format(
        "{} may be null: check it, if msg.{} ~= hastur.null then …",
        is_mark && name == "value" ? "a mark's value" : fmt::format("the field '{}'", name), name);
  }
  if (name == "value" && (field->is_string() || field->is_boolean()) && !is_mark) {
    return "the value of a heartbeat may be a number, a text, true, false or absent: check it, "
           "if type(msg.value) == \"number\" then …";
  }
  // Of a table nothing can be called, and it is no text.
  if (field->is_object() && (has(text, "table") || has(text, "call method"))) {
    return fmt::format(
        "the field '{0}' may be a table: check it, if type(msg.{0}) == \"string\" then …", name);
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
    if (kind == "field '") return path == name || path == fmt::format("labels.{}", name);
    const auto alias = words.aliases.find(name);
    return alias != words.aliases.end() && alias->second == path;
  }
  return false;
}

// Of what the error names first, then of what the line speaks of, then of anything that the script
// reads: it may have got another name on its way.
std::string remedy_of_message(std::string_view text, const Json& message, const Json& filter,
                              const ScriptWords& words, std::string_view line) {
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
  enum class Near : std::uint8_t { named, on_the_line, anywhere };
  const auto nearness = [&](const std::string& path) {
    if (names(text, words, path)) return Near::named;
    if (speaks_of(value, words, path)) return Near::named;
    return speaks_of(line, words, path) ? Near::on_the_line : Near::anywhere;
  };
  for (const Near near : {Near::named, Near::on_the_line, Near::anywhere}) {
    for (const std::string& name : words.labels) {
      if (nearness("labels." + name) != near) continue;
      const bool counts = std::ranges::binary_search(words.counted_labels, name);
      if (near == Near::anywhere && labels.contains(name) && !counts) continue;
      const std::string remedy = remedy_of_label(name, labels, asked, text);
      if (!remedy.empty()) return remedy;
    }
    for (const std::string& name : words.fields) {
      if (nearness(name) != near) continue;
      const std::string remedy = remedy_of_field(name, message, text);
      if (!remedy.empty()) return remedy;
    }
  }
  return "";
}

}  // namespace

std::string remedy_of(const CallError& error, const Json& message, const Json& filter,
                      const ScriptWords& words, std::string_view line) {
  const std::string& text = error.error.text;
  switch (error.kind) {
    case CallError::Kind::judgement:
      return remedy_of_state(text, line);
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
  const std::string remedy = remedy_of_message(text, message, filter, words, line);
  if (!remedy.empty()) return remedy;
  if (has(text, "(nan)") || has(text, "infinite")) return remedy_of_state(text, line);
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
