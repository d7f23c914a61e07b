#include "trigger-runtime/vm/runtime_memory.h"

#include "core/json.h"
#include "trigger-runtime/protocol/stand_still.h"

namespace hastur {
namespace {

Result<void> read_failures(const Json& json, FailureCounts& failures) {
  const Failure broken =
      fail(ErrorCode::corrupt, "the failures in a trigger's runtime memory are not as written");
  const auto is_number = [](const Json& at, const char* key) {
    return at.contains(key) && at[key].is_number_integer();
  };
  if (!json.is_object() || !is_number(json, "minute") || !is_number(json, "depth") ||
      !json.contains("lines") || !json["lines"].is_array())
    return broken;
  failures.minute = json["minute"].get<std::int64_t>();
  failures.depth = json["depth"].get<std::uint8_t>();
  for (const Json& line : json["lines"]) {
    if (!line.is_array() || line.size() != 4 || !line[0].is_string() ||
        !line[1].is_number_unsigned() || !line[2].is_number_unsigned() || !line[3].is_string())
      return broken;
    failures.lines[{line[0].get<std::string>(), line[1].get<std::uint32_t>()}] = {
        line[2].get<std::uint64_t>(), line[3].get<std::string>()};
  }
  return {};
}

}  // namespace

std::string to_json(const RuntimeMemory& memory) {
  Json json = Json::object();
  if (memory.last_tick) json["last_tick"] = to_us(*memory.last_tick);
  if (memory.judged_at) json["judged_at"] = to_us(*memory.judged_at);
  if (memory.failed_at) json["failed_at"] = to_us(*memory.failed_at);
  if (memory.still_since) json[still_since_key] = to_us(*memory.still_since);
  if (!memory.deaf.empty()) {
    Json deaf = Json::array();
    for (const auto& [callback, span] : memory.deaf) deaf.push_back({callback, span.count()});
    json["deaf"] = std::move(deaf);
  }
  // Counts of a minute in which nothing was counted say nothing.
  if (memory.minute.messages > 0 || memory.minute.log_bytes > 0) {
    json["minute"] = memory.minute.minute;
    json["minute_messages"] = memory.minute.messages;
    json["minute_log_bytes"] = memory.minute.log_bytes;
  }
  if (!memory.failures.empty()) {
    Json lines = Json::array();
    for (const auto& [place, line] : memory.failures.lines) {
      lines.push_back({place.first, place.second, line.count, line.text});
    }
    json["failures"] = {{"minute", memory.failures.minute},
                        {"depth", memory.failures.depth},
                        {"lines", std::move(lines)}};
  }
  if (!memory.slots.empty()) json["slots"] = memory.slots;
  return canonical_json(json);
}

Result<RuntimeMemory> runtime_memory_from_json(std::string_view text) {
  RuntimeMemory memory;
  if (text.empty()) return memory;
  Result<Json> json = parse_json(text);
  if (!json) return fail(json.error());
  const auto number = [&json](const char* key) -> std::optional<std::int64_t> {
    const auto found = json->find(key);
    if (found == json->end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
  };
  if (!json->is_object())
    return fail(ErrorCode::corrupt, "the runtime's memory of a trigger is no JSON object");
  if (const auto us = number("last_tick")) memory.last_tick = time_from_us(*us);
  if (const auto us = number("judged_at")) memory.judged_at = time_from_us(*us);
  if (const auto us = number("failed_at")) memory.failed_at = time_from_us(*us);
  if (const auto us = number(still_since_key)) memory.still_since = time_from_us(*us);
  memory.minute.minute = number("minute").value_or(0);
  memory.minute.messages = static_cast<std::uint32_t>(number("minute_messages").value_or(0));
  memory.minute.log_bytes = static_cast<std::uint32_t>(number("minute_log_bytes").value_or(0));
  if (const auto found = json->find("failures"); found != json->end()) {
    HASTUR_TRY(read_failures(*found, memory.failures));
  }
  if (const auto deaf = json->find("deaf"); deaf != json->end() && deaf->is_array()) {
    for (const Json& entry : *deaf) {
      if (entry.is_array() && entry.size() == 2 && entry[0].is_number_unsigned() &&
          entry[1].is_number_integer())
        memory.deaf[entry[0].get<std::uint32_t>()] = Micros{entry[1].get<std::int64_t>()};
    }
  }
  if (const auto slots = json->find("slots"); slots != json->end() && slots->is_object()) {
    for (const auto& [name, width] : slots->items()) {
      if (width.is_number_integer() && width > 0) memory.slots[name] = width.get<std::int64_t>();
    }
  }
  return memory;
}

}  // namespace hastur
