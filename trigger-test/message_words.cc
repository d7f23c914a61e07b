#include "trigger-test/message_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/printable.h"
#include "message/recording.h"

namespace hastur {

std::string entry_text(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : canonical_json(*found);
}

std::string value_words(const Value& value) {
  switch (value.kind) {
    case Value::Kind::number:
      return canonical_json(Json(value.number));
    case Value::Kind::boolean:
      return value.number != 0 ? "true" : "false";
    case Value::Kind::string: {
      std::string text;
      append_json_string(text, value.text);
      return text;
    }
    case Value::Kind::tree:
      return "{…}";
    default:
      return "null";
  }
}

std::string message_words(const MessageView& message) {
  std::string text(type_name(message.type));
  if (message.name) text += fmt::format(" {}", *message.name);
  if (message.value.kind != Value::Kind::absent) text += " " + value_words(message.value);
  // What a trigger derived has its label.
  if (message.uuid != recording_uuid && !message.origin)
    text += fmt::format(" from {}", message.hostname ? *message.hostname : message.uuid);
  for (const Label& label : message.labels)
    text += fmt::format(" {}={}", label.key, value_words(label.value));
  return printable(text);
}

bool concerns(const MessageView& message, const std::string& key, const Nicknames& names) {
  const auto in_key = [&](std::string_view text) {
    return !text.empty() && key.find(names.read(std::string(text))) != std::string::npos;
  };
  if (in_key(message.uuid) || (message.hostname && in_key(*message.hostname))) return true;
  return std::ranges::any_of(message.labels, [&](const Label& label) {
    return label.value.kind == Value::Kind::string && label.value.text.size() > 1 &&
           in_key(label.value.text);
  });
}

}  // namespace hastur
