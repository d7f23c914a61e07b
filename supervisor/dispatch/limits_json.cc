#include "supervisor/dispatch/limits_json.h"

#include "core/json.h"

namespace hastur {
namespace {

// Calls `field` with each limit's name and variable: one list for writing and reading.
template <class Limits, class Field>
void each_limit(Limits& limits, Field field) {
  field("effects_max", limits.effects_max);
  field("instructions_max", limits.instructions_max);
  field("log_bytes_per_minute_max", limits.log_bytes_per_minute_max);
  field("messages_per_minute_max", limits.messages_per_minute_max);
  field("notifications_max", limits.notifications_max);
  field("state_bytes_ceiling", limits.state_bytes_ceiling);
  field("state_bytes_max", limits.state_bytes_max);
}

}  // namespace

std::string limits_to_json(const CountedLimits& limits) {
  Json json = Json::object();
  each_limit(limits, [&json](const char* name, const auto& value) { json[name] = value; });
  return canonical_json(json);
}

CountedLimits limits_from_json(std::string_view text) {
  CountedLimits limits;
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return limits;
  each_limit(limits, [&json](const char* name, auto& value) {
    const auto found = json->find(name);
    if (found != json->end() && found->is_number_unsigned())
      value = found->template get<std::decay_t<decltype(value)>>();
  });
  return limits;
}

}  // namespace hastur
