#include "trigger-test/hunt_remedy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/json.h"

namespace hastur {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Of a state that is no JSON: what the judgement said, and what to do about it.
std::string remedy_of_state(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> remedies{{
      {"is a function", "keep data in ctx.state, and functions in locals of the file"},
      {"not a number (nan)", "look at the divisor before you divide, and keep no result of 0 / 0"},
      {"is infinite", "look at the divisor before you divide"},
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

// Labels and fields that the script reads and that this message lacks, those of the line first.
std::vector<std::string> lacking(const std::vector<std::string>& names, const Json& present,
                                 std::string_view line) {
  std::vector<std::string> absent;
  for (const std::string& name : names) {
    if (present.is_object() && present.contains(name)) continue;
    absent.insert(has(line, name) ? absent.begin() : absent.end(), name);
  }
  return absent;
}

std::string remedy_of_message(std::string_view text, const Json& message, const ScriptWords& words,
                              std::string_view line) {
  if (!message.is_object()) return "";
  const Json labels = message.value("labels", Json::object());
  if (has(text, "nil")) {
    const auto absent = lacking(words.labels, labels, line);
    if (!absent.empty()) {
      return fmt::format(
          "a message need not have the label '{0}': ask for it in the filter, "
          "labels = {{ {0} = true }}, or write what holds without it, msg.labels.{0} or …",
          absent.front());
    }
    // What every msg has besides the fields of its body.
    Json fields = message;
    for (const char* always : {"timestamp", "received_at", "host", "uuid", "labels", "type"})
      fields[always] = true;
    std::vector<std::string> missing = lacking(words.fields, fields, line);
    std::erase_if(missing, [&](const std::string& name) { return !has(line, name); });
    if (!missing.empty() && missing.front() == "hostname") {
      return "a sender that has never registered has no hostname: use msg.host, which is the uuid "
             "then";
    }
    if (!missing.empty()) {
      return fmt::format("a message need not have the field '{0}': check it, if msg.{0} then …",
                         missing.front());
    }
  }
  if (message.value("value", Json(0)).is_null() && has(line, "value")) {
    return "a mark's value may be null: check it, if msg.value ~= hastur.null then …";
  }
  for (const std::string& name : words.labels) {
    const auto label = labels.find(name);
    if (label == labels.end() || !label->is_string()) continue;
    if (!std::ranges::binary_search(words.counted_labels, name) && !has(line, name)) continue;
    return fmt::format(
        "the label '{0}' may be a text: ask for a number in the filter, "
        "labels = {{ {0} = {{ at_least = 0 }} }}, or use tonumber(msg.labels.{0})",
        name);
  }
  return "";
}

}  // namespace

std::string remedy_of(const CallError& error, const Json& message, const ScriptWords& words,
                      std::string_view line) {
  const std::string& text = error.error.text;
  switch (error.kind) {
    case CallError::Kind::judgement:
      return remedy_of_state(text);
    case CallError::Kind::instructions:
      return "bound the loop; keep sums in ctx.state, not lists that are walked for each message";
    case CallError::Kind::memory:
      return "make no texts or tables that grow with the number of messages";
    case CallError::Kind::raised:
      break;
  }
  if (has(text, "derived") && has(text, "times over")) {
    return "it feeds itself: leave out own = true, or exclude what it derives with none_of = "
           "{ name = … }";
  }
  const std::string remedy = remedy_of_message(text, message, words, line);
  if (!remedy.empty()) return remedy;
  if (has(text, "global '")) {
    const std::size_t begin = text.find("global '") + 8;
    return fmt::format(
        "there is no global '{}': it is misspelt, a local that is missing, or "
        "something that triggers do not have (triggers/README.md)",
        text.substr(begin, text.find('\'', begin) - begin));
  }
  if (has(text, "(nan)") || has(text, "infinite")) return remedy_of_state(text);
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
