#include <fmt/format.h>

#include "core/json.h"
#include "core/printable.h"
#include "trigger-test/explanation.h"

namespace hastur {
namespace {

std::string json_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : canonical_json(*found);
}

std::string raw_seen_words(const Seen& seen) {
  if (seen.error) {
    const ScriptError& error = seen.error->error;
    if (error.script.empty()) return error.text;
    // A state is of no line.
    return error.line == 0 ? fmt::format("{}: {}", error.script, error.text)
                           : fmt::format("{}:{}: {}", error.script, error.line, error.text);
  }
  const Result<Json> payload = parse_json(seen.effect->payload);
  if (!payload || !payload->is_object()) return "an effect";
  switch (seen.effect->kind) {
    case EffectKind::notification: {
      const Json options = payload->value("options", Json::object());
      std::string text = json_text(*payload, "kind");
      const std::string action = options.is_object() ? json_text(options, "action") : "";
      if (!action.empty() && action != "trigger") text += " " + action;
      const std::string key = json_text(*payload, "key");
      if (!key.empty()) text += " " + key;
      return text + ": " + json_text(*payload, "text");
    }
    case EffectKind::message:
    case EffectKind::report:
      return fmt::format("{} {} {}", json_text(*payload, "type"), json_text(*payload, "name"),
                         json_text(*payload, "value"));
    case EffectKind::log:
      return "log " + json_text(*payload, "text");
  }
  return "an effect";
}

}  // namespace

std::string seen_words(const Seen& seen) { return printable(raw_seen_words(seen)); }

}  // namespace hastur
