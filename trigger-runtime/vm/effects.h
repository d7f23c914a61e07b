#pragma once

// Collects what callbacks cause and applies the counted limits (DESIGN §7, Limits).
//
// Effects of a callback are kept once it has returned, those of an input once all of its callbacks
// have. What is over a limit is left out without an error, so that the state that follows from the
// callback stands; how much was left out is counted, and said in one last notification.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// Messages that were derived this many times over derive none.
inline constexpr std::uint8_t derived_depth_max = 8;

// What all callbacks of one input may cause together: they are answered in one piece.
inline constexpr std::size_t input_effects_bytes_max = 64u << 20;

// What is counted per minute of stream time; part of Memory.runtime.
struct MinuteCounts {
  std::int64_t minute = 0;
  std::uint32_t messages = 0;
  std::uint32_t log_bytes = 0;
  friend bool operator==(const MinuteCounts&, const MinuteCounts&) = default;
};

struct Notification {
  std::string_view kind;
  // JSON: a string or null.
  std::string key = "null";
  // JSON: a string, a list of strings or null.
  std::string to = "null";
  std::string_view text;
  // JSON objects.
  std::string details = "{}";
  std::string options = "{}";
};

class EffectSink {
 public:
  void configure(const TriggerName& name, const CountedLimits& limits);

  void begin_feed();
  // `now` is the stream time, `event_time` the timestamp of derived messages (tick.time in
  // ctx:every), `depth` theirs.
  void begin_input(Sequence sequence, Time now, std::uint8_t depth) {
    sequence_ = sequence;
    now_ = now;
    depth_ = depth;
    ordinal_ = 0;
    input_bytes_ = 0;
    input_begin_ = effects_.size();
  }
  void begin_callback(Time event_time) {
    event_time_ = event_time;
    callback_begin_ = effects_.size();
    callback_ordinal_ = ordinal_;
    callback_bytes_ = input_bytes_;
    callback_minute_ = minute_;
    others_ = 0;
    notifications_ = 0;
    notifications_cut_ = 0;
    left_out_ = 0;
  }
  // Keeps the callback's effects, or drops them with what they counted.
  void end_callback(bool returned) {
    if (!returned || left_out_ > 0) [[unlikely]]
      settle_callback(returned);
  }
  // Folds the input's effects into the hash.
  void end_input() {
    for (std::size_t i = input_begin_; i < effects_.size(); ++i) {
      hash_ = fold_effect(hash_, effects_[i]);
    }
  }
  // Drops the effects of the input under way, also of its callbacks that returned.
  void drop_input();

  Sequence sequence() const { return sequence_; }
  Time now() const { return now_; }
  Time event_time() const { return event_time_; }
  std::uint8_t depth() const { return depth_; }

  // False if one of so many bytes is over a limit and left out.
  bool room_for_message(std::size_t bytes);
  void add_message(std::string payload);
  void add_notification(const Notification& notification);
  void add_log(std::string_view text);
  // Over no limit: the platform's own, of what ended before the input under way.
  void add_report(std::string payload, std::uint8_t depth);

  std::vector<Effect> take() { return std::move(effects_); }
  // Kept so far of the feed under way.
  std::size_t count() const { return effects_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t cut() const { return cut_; }
  std::uint64_t hash() const { return hash_; }
  void reset_hash() { hash_ = 0; }

  const MinuteCounts& minute() const { return minute_; }
  void set_minute(const MinuteCounts& minute) { minute_ = minute; }

 private:
  void settle_callback(bool returned);
  bool room_for(std::size_t bytes) const { return input_bytes_ + bytes <= input_effects_bytes_max; }
  void add(EffectKind kind, std::string payload);
  void add_cut_notice();
  void turn_minute();

  TriggerName name_;
  CountedLimits limits_;
  std::vector<Effect> effects_;
  // Of the payloads of a feed, also of those that were dropped again.
  std::size_t bytes_ = 0;
  std::uint64_t hash_ = 0;
  std::uint64_t cut_ = 0;
  MinuteCounts minute_;

  Sequence sequence_;
  Time now_{};
  Time event_time_{};
  std::uint8_t depth_ = 1;
  std::uint32_t ordinal_ = 0;

  // Where the input and the callback under way began.
  std::size_t input_begin_ = 0;
  std::size_t callback_begin_ = 0;
  std::uint32_t callback_ordinal_ = 0;
  // Of the payloads of the input's callbacks that returned; of those before the one under way.
  std::size_t input_bytes_ = 0;
  std::size_t callback_bytes_ = 0;
  MinuteCounts callback_minute_;

  // Of the callback under way.
  std::uint32_t others_ = 0;  // messages and log lines
  std::uint32_t notifications_ = 0;
  std::uint32_t notifications_cut_ = 0;
  std::uint64_t left_out_ = 0;
  std::string cut_kind_;
  std::string cut_to_;
};

}  // namespace hastur
