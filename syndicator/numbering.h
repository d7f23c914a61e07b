#pragma once

// Gives everything that arrives its place in the stream: decodes it, lets the ticks that belong
// before it go first, and appends batch after batch to History.
//
// Nothing is numbered for anybody to see before History has it: append() returns the batches that
// have become part of the stream. While History cannot write, what arrives is held, up to a bound;
// what is beyond that is counted, and the stream says how much it was once it goes on.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "message/batch.h"
#include "message/json_codec.h"
#include "message/stream_time.h"
#include "state/history/history.h"
#include "syndicator/client/protocol.h"

namespace hastur {

// Derived from messages that were derived themselves, so often and no oftener: two triggers that
// feed each other must come to an end.
inline constexpr std::uint8_t derived_depth_max = 8;

// Not thread-safe. Time comes in with each call and never from a clock.
class Numbering {
 public:
  struct Options {
    // The sender of what bears none, and of what the syndicator says itself. Lowercase, 36
    // characters; empty: made from the stream's id.
    std::string uuid;
    // Rows and bytes of a batch; a turn that brings more makes several.
    std::uint32_t rows_max = 16'384;
    std::size_t bytes_max = 4u << 20;
    // What is held while History cannot write.
    std::size_t held_bytes_max = 64u << 20;
    // How long to wait before trying again.
    Micros retry_after = std::chrono::milliseconds{200};
    // Senders whose host names are remembered; those registered later have none.
    std::size_t hosts_max = 1'000'000;
  };

  // Goes on where `history`, which outlives this, stands. The time from its last message to `now`
  // is deaf.
  Numbering(History& history, Options options, Time now);

  // A datagram as it came. Never fails: what cannot be decoded becomes an `error` message.
  void take_datagram(std::string_view bytes, Time received_at);
  // A message of a Hastur core: two parts, the envelope and the payload; anything else is refused.
  void take_core_message(const std::vector<std::string>& parts, Time received_at);
  // Below or at its trigger's mark it is passed over; what cannot be decoded, or is too deep, moves
  // the mark too.
  void take_derived(const DerivedMessage& message, Time now);

  // Somebody has seen the stream up to `seen`: see History. What waits to be appended goes behind
  // it too, as nobody has seen its numbers.
  Result<void> skip_behind(Sequence seen);
  // Nothing could be heard for so long before what comes next.
  void add_deaf(Micros span);
  // So many messages were lost before they could be numbered; `why` is a counter's name
  // ("ring_dropped").
  void add_lost(const std::string& why, std::uint64_t count);
  // Each turn of the loop, after what has arrived was taken. Puts in a tick for each second in
  // which stream time did not move. `quiet`: all that had arrived has been taken. `monotonic` is
  // Clock::monotonic().
  void pass_time(Time now, Micros monotonic, bool quiet);

  // Appends all that was taken, in order. Returns the batches that are part of the stream now, to
  // be published. What could not be appended (is_failing) is tried again by a later call.
  std::vector<Batch> append(Time now);

  // History did not take the last append.
  bool is_failing() const { return failure_.has_value(); }
  const std::optional<Error>& failure() const { return failure_; }
  // Since when.
  std::optional<Time> failing_since() const { return failing_since_; }
  // Something waits to be appended.
  bool has_pending() const { return !finished_.empty() || builder_.count() > 0; }

  // How far this trigger's derived messages have been taken; equal to History's mark when nothing
  // is pending.
  DerivedMark mark(const TriggerName& trigger) const;

  // Counts up to what has been appended; of what was lost, up to now.
  const std::map<std::string, std::uint64_t>& counters() const { return committed_; }
  const std::string& uuid() const { return options_.uuid; }

 private:
  struct Finished {
    Batch batch;
    std::vector<HostName> hosts;
    std::vector<DerivedMark> marks;
    std::vector<std::pair<std::string, std::uint64_t>> counters;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  // Whether the message is to be numbered at all.
  bool is_consumed(const MessageView& message);
  bool is_overfull();
  void put(MessageView message);
  void put_refused(const JsonDecoder::Refused& refused, std::string_view original,
                   Time received_at);
  void put_lost(Time now);
  void advance(Time time, Time received_at);
  void learn_host(std::string_view uuid, std::string_view name);
  void make_room();
  void finish_batch();
  void count(const std::string& name, std::uint64_t by = 1);
  void count_at_once(const std::string& name, std::uint64_t by);
  void fail_append(const Error& error, Time now);
  void recover(Time now);

  History& history_;
  Options options_;
  JsonDecoder decoder_;
  BatchBuilder builder_;
  StreamTime stream_time_;
  // Stream time after the last row put, and before the first row of builder_.
  Time put_up_to_{};
  Time before_first_{};
  Time received_at_{};
  Sequence next_;
  // Where History stood at the start: what was numbered since may stand for two messages if it
  // turns out to have been set back.
  Sequence began_after_;
  Micros deaf_{0};

  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> hosts_;
  std::vector<HostName> new_hosts_;
  std::map<TriggerName, DerivedMark> marks_;
  std::set<TriggerName> moved_marks_;

  // With what is in builder_, and of that what History has. `changed_` are the names to be written.
  std::map<std::string, std::uint64_t> totals_;
  std::map<std::string, std::uint64_t> committed_;
  std::set<std::string> changed_;
  // On the hot path, added to totals_ when a batch is finished.
  std::uint64_t received_ = 0;
  std::uint64_t core_received_ = 0;
  // Lost and not yet spoken of in the stream.
  std::map<std::string, std::uint64_t> unrecorded_;

  // Wait for History, oldest first.
  std::deque<Finished> finished_;
  std::size_t finished_bytes_ = 0;
  std::optional<Time> failing_since_;
  std::optional<Error> failure_;
  Time retry_at_{};
  // Since when nothing more can be held.
  std::optional<Time> overfull_since_;

  // The clock's second that is under way, and where stream time stood when it began.
  std::optional<Time> second_;
  std::optional<Time> at_second_;
  Time passed_now_{};
  Micros passed_monotonic_{0};
};

}  // namespace hastur
