#include "message/recording_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/json.h"
#include "message/json_codec.h"

namespace hastur {

void RecordingWriter::add(std::string& out, const Batch& batch, Sequence first, Sequence last) {
  const BatchView view = BatchView::trusted(batch.header, batch.body);
  for (std::uint32_t row = 0; row < view.count(); ++row) {
    const Sequence sequence = view.sequence(row);
    if (sequence < first) continue;
    if (sequence > last) return;
    const auto type = static_cast<MessageType>(view.types()[row]);
    const bool tick = type == MessageType::tick;
    if (!begun_ && !tick) add_first_tick(out, view, row);
    begun_ = true;
    if (!tick && !filter_.type_matches(type)) continue;
    const MessageView message = view.message(row, labels_);
    if (!tick && !filter_.matches(message)) continue;
    append_message_json(out, message, sequence);
    out += '\n';
    ++(tick ? ticks_ : messages_);
  }
}

void RecordingWriter::add_first_tick(std::string& out, const BatchView& view, std::uint32_t row) {
  Time time = view.header().stream_time_before;
  for (std::uint32_t before = 0; before <= row; ++before) {
    const auto own = std::min(view.timestamps()[before], view.received_ats()[before]);
    time = std::max(time, time_from_us(own));
  }
  MessageView tick;
  tick.type = MessageType::tick;
  tick.timestamp = whole_second(time);
  append_message_json(out, tick, Sequence{view.sequence(row).value - 1});
  out += '\n';
  ++ticks_;
}

void RecordingWriter::add_stretch(std::string& out, Sequence first, Sequence last) {
  fmt::format_to(std::back_inserter(out), R"({{"first":{},"journal":"stretch","last":{}}})",
                 first.value, last.value);
  out += '\n';
}

void RecordingWriter::add_lost(std::string& out, Sequence first, Sequence last,
                               std::string_view why) {
  fmt::format_to(std::back_inserter(out), R"({{"first":{},"journal":"lost","last":{},"why":)",
                 first.value, last.value);
  append_json_string(out, why);
  out += "}\n";
}

}  // namespace hastur
