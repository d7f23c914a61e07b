#pragma once

// What is asked of the syndicator's ROUTER and what it answers (DESIGN §6,
// docs/formats/request.md).
//
// One msgpack frame each way, but for batches, whose frame (message/batch.h) follows in a second
// part. Each request has an id, chosen by the client, that its replies bear. These are plain
// values: sockets carry them in production, a simulation hands them over directly.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "message/batch.h"
#include "message/ids.h"

namespace hastur {

struct RequestId {
  std::uint64_t value = 0;
  friend auto operator<=>(const RequestId&, const RequestId&) = default;
};

// Where does the stream stand?
struct PositionRequest {};

// Send batches from a sequence or from a time on, up to `credit` batches, then wait for more
// credit. The read ends (ReadEnd) when it has come to the stream's end or passed `until`.
struct ReadRequest {
  std::optional<Sequence> from;
  std::optional<Time> from_time;
  std::optional<Sequence> until;
  std::uint32_t credit = 16;
  // If given, only batches are promised in which one of these names may occur.
  std::vector<std::string> names;
};
// More credit for the read of the same id; 0 cancels it.
struct CreditRequest {
  std::uint32_t credit = 0;
};

struct DerivedMessage {
  TriggerName trigger;
  Run run;
  Sequence sequence;
  std::uint32_t ordinal = 0;
  std::uint8_t depth = 1;
  // JSON of the message (append_message_json).
  std::string json;
  // Of a replay (Origin).
  bool correction = false;
  friend bool operator==(const DerivedMessage&, const DerivedMessage&) = default;
};
// Appends derived messages, each exactly once: those at or below their trigger's mark are
// acknowledged and left out. In a trigger's order of (run, sequence, ordinal).
struct AppendRequest {
  OwnerId owner;
  Epoch epoch;
  std::vector<DerivedMessage> messages;
};

// Claims the right to append for these names, for `lease_span` from each request on. Names that
// another owner holds unexpired are refused as a whole request.
struct LeaseRequest {
  OwnerId owner;
  std::vector<TriggerName> names;
  // The highest number of this stream that the supervisor has seen. If History ends before it, it
  // was set back: numbering then goes on behind it, so that no number stands for two messages.
  StreamId stream = {};
  Sequence seen = {};
};
inline constexpr Micros lease_span = std::chrono::seconds{10};

using Request =
    std::variant<PositionRequest, ReadRequest, CreditRequest, AppendRequest, LeaseRequest>;

struct PositionReply {
  StreamId stream;
  Sequence oldest;
  Sequence last;
  std::optional<Time> stream_time;
  // The syndicator's own counts by name ("received", "refused.bad_uuid", "kernel_dropped" …).
  std::map<std::string, std::uint64_t> counters;

  // 0 if there is no such counter.
  std::uint64_t count(const std::string& name) const {
    const auto found = counters.find(name);
    return found == counters.end() ? 0 : found->second;
  }

  // Among the counters while History cannot be written: for how long, in µs.
  static constexpr const char* history_failing_name = "history_failing_us";
  // Nothing while it can.
  std::optional<Micros> history_failing() const {
    const std::uint64_t span = count(history_failing_name);
    if (span == 0) return std::nullopt;
    return Micros{static_cast<std::int64_t>(span)};
  }
  // Messages that were lost before they could be numbered, because of that.
  std::uint64_t lost_by_history() const { return count("lost.history_full"); }
};
struct BatchReply {
  Batch batch;
};
// The numbers [first, last] are gone; the read goes on after them.
struct LostReply {
  Sequence first;
  Sequence last;
  std::string why;
};
struct ReadEnd {
  // Everything below has been sent.
  Sequence next;
};
struct AppendReply {
  // How far each trigger of the request has been appended now.
  struct Mark {
    TriggerName trigger;
    Run run;
    Sequence sequence;
    std::uint32_t ordinal = 0;
  };
  std::vector<Mark> marks;
};
struct LeaseReply {
  Epoch epoch;
  // For the names asked for: the last mark, so that a supervisor that lost its store does not reuse
  // a run.
  std::vector<AppendReply::Mark> marks;
};
// The request was not carried out; nothing changed. `stale`: the epoch has passed to another owner.
struct RefusedReply {
  Error error;
};

using Reply = std::variant<PositionReply, BatchReply, LostReply, ReadEnd, AppendReply, LeaseReply,
                           RefusedReply>;

struct RequestFrame {
  RequestId id;
  Request request;
};
struct ReplyFrame {
  RequestId id;
  Reply reply;
};

// The parts of the ZeroMQ message. Decoding fails with `invalid` on garbage, never more.
std::vector<std::string> encode_request(const RequestFrame& frame);
Result<RequestFrame> decode_request(const std::vector<std::string_view>& parts);
std::vector<std::string> encode_reply(const ReplyFrame& frame);
Result<ReplyFrame> decode_reply(const std::vector<std::string_view>& parts);

}  // namespace hastur
