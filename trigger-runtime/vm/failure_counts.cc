#include "trigger-runtime/vm/failure_counts.h"

#include <array>

#include "core/cut_text.h"
#include "message/json_codec.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

constexpr std::size_t text_bytes_max = 1'000;

}  // namespace

void FailureCounts::count(Time now, const ScriptError& error, std::uint8_t failed_depth) {
  if (lines.empty()) {
    minute = minute_of(now);
    depth = 0;
  }
  depth = std::max(depth, failed_depth);
  auto found = lines.find({error.script, error.line});
  if (found == lines.end()) {
    const bool room = lines.size() < lines_max;
    found = lines.try_emplace(room ? std::pair(error.script, error.line) : std::pair("", 0u)).first;
    if (found->second.count == 0)
      found->second.text =
          room ? cut_text(error.text, text_bytes_max) : "calls failed at many more lines";
  }
  ++found->second.count;
}

bool FailureCounts::is_due(Time now) const { return !lines.empty() && minute_of(now) > minute; }

std::string failure_message(const FailureCounts& counts, const FailureCounts::Lines::value_type& of,
                            const TriggerName& trigger, std::string_view uuid, Time now) {
  const auto& [place, line] = of;
  std::string fields;
  MsgpackWriter out(fields);
  out.map(6);
  out.string("class");
  out.string("trigger");
  out.string("count");
  out.unsigned_integer(line.count);
  out.string("error");
  out.string(line.text);
  out.string("line");
  out.unsigned_integer(place.second);
  out.string("minute");
  out.integer(counts.minute * 60 * us_per_second);
  out.string("script");
  out.string(place.first);

  const std::array<Label, 1> labels{Label{"trigger", Value::of(std::string_view(trigger))}};
  MessageView message;
  message.type = MessageType::error;
  message.timestamp = now;
  message.received_at = now;
  message.uuid = uuid;
  message.labels = labels;
  message.fields = fields;
  std::string json;
  append_message_json(json, message);
  return json;
}

}  // namespace hastur
