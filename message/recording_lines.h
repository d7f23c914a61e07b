#pragma once

// What a line or an element of a recording says besides the message itself.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/json.h"
#include "message/json_codec.h"
#include "message/recording.h"
#include "message/stream_time.h"

namespace hastur {

// The string under `key`; nullptr if there is none.
const std::string* string_of(const Json& object, std::string_view key);
// The number under `seq`, from 1 on.
Sequence sequence_of_line(const Json& line);

std::variant<Tick, JsonDecoder::Refused> tick_of_line(const Json& line);
std::variant<RecordingReader::Lost, JsonDecoder::Refused> lost_of_line(const Json& line);

// An element of a Hastur replay file: what an envelope says, and the payload.
struct ReplayElement {
  std::string payload;
  // Out of range counts as absent, as in an envelope: it is of a core whose clock was not set.
  std::optional<Time> timestamp;
  // Both or none.
  std::optional<MessageType> type;
  std::optional<std::array<char, 36>> from;
};
struct RefusedElement {
  JsonDecoder::Refused why;
  // How many lines below the element's first one the fault is.
  std::size_t below = 0;
};
std::variant<ReplayElement, RefusedElement> element_of(std::string_view text);

}  // namespace hastur
