#pragma once

// Messages from and to JSON: datagrams, lines of recordings, rows of the API (DESIGN §4).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.h"
#include "message/message.h"

namespace hastur {

// Why a datagram could not be taken; the label of hastur_refused_total. Each has a name of its own.
enum class Refusal : std::uint8_t {
  not_json,
  not_an_object,
  unknown_type,
  missing_type,
  bad_name,
  bad_value,
  bad_labels,
  bad_timestamp,
  bad_uuid,
  bad_field,
  too_large,
  // From a Hastur core: the frames are not an envelope and a payload.
  bad_envelope,
};
std::string_view refusal_name(Refusal refusal);

// How deep arrays and objects may nest in `value` and in each other field.
inline constexpr int json_depth_max = 64;
// A text and what is made of it together weigh no more; a datagram has at most 64 KiB.
inline constexpr std::size_t message_bytes_max = 1u << 20;

// What the parser may read past the end of a text (`padded`).
inline constexpr std::size_t json_padding = 64;

// Decodes datagram after datagram into the same memory.
class JsonDecoder {
 public:
  // What stands for a field that the text does not have.
  struct Defaults {
    Time received_at;
    // 36 characters, lowercase; borrowed until the next decode.
    std::string_view uuid;
    // From a core's envelope. With a `type`, type and sender (`uuid`) are the envelope's whatever
    // the text says; the timestamp stands where the text has none.
    std::optional<MessageType> type;
    std::optional<Time> timestamp;
    // An own recording may say `received_at` (absent: the timestamp, if it has one), and `hostname`
    // in messages that are not registrations (an empty one is none); its `seq` is no field
    // (sequence() has it), nor is its `origin` unless `with_origin`. In a datagram all these are
    // left out.
    bool recorded = false;
    // Of a recording whose derived messages keep what derived them; such a message has no host
    // name. An `origin` that is none makes the text refused.
    bool with_origin = false;
    // json_padding readable bytes follow the text, whatever they are: it is then parsed where it
    // lies, not copied.
    bool padded = false;
  };
  struct Refused {
    Refusal why;
    // One sentence naming the field and what was expected.
    std::string text;
  };

  JsonDecoder();
  ~JsonDecoder();

  // The view borrows from the decoder and from `defaults.uuid` until the next call, not from
  // `text`. noop and ack decode like any other; who numbers messages leaves them out. Nesting of
  // `value` and other fields is bounded at json_depth_max, what a message weighs at
  // message_bytes_max.
  std::variant<MessageView, Refused> decode(std::string_view text, const Defaults& defaults);

  // The `seq` of the recorded text that was decoded last: the place that its message had in a
  // stream. Nothing if it has none, or one that is no whole number from 1 on.
  std::optional<Sequence> sequence() const;

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

// The `error` message that stands in the stream for a datagram that could not be taken: class
// "undecodable", error = the refusal's sentence, data = the original cut to 1,024 bytes (invalid
// UTF-8 replaced). Its sender is `uuid`, its timestamp `received_at`.
Message refused_message(const JsonDecoder::Refused& refused, std::string_view original,
                        std::string_view uuid, Time received_at);

// The message as one JSON object without white space: its own fields by name, keys sorted;
// `received_at` and `hostname` where known (a registration's `hostname` is what it registers);
// `seq` if `sequence` is given. A tick is {"deaf":µs,"time":µs,"type":"tick"}. decode() of it with
// `recorded` and `with_origin` gives the same message.
// A field that is named like one of the stream's own gives way to it, and a `hostname` among the
// fields stays out also where the stream knows none; the decoder leaves none.
void append_message_json(std::string& out, const MessageView& message,
                         std::optional<Sequence> sequence = std::nullopt);

// The same as a value: msg:to_table(), the API.
Json message_to_json(const MessageView& message);

}  // namespace hastur
