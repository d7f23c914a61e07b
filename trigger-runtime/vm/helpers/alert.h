#pragma once

// ctx:alert: what is wrong now, by key, and which pages that makes.
//
// A call changes only its key: it opens, closes, or is on its way there. What goes out is decided
// once a tick, after all callbacks due there, from what the keys are then: so a burst within a tick
// is one page, and what opens and closes within a tick is none.
//
// State of a key, without what does not apply:
//   {"d":details,"due":µs,"f":[µs,…],"flap":true,"open":µs,"over":µs,"sent":µs,"stale":true,"t":µs,
//    "text":"…","to":"…","v":value}
// t: the last call for it; open: since when it is; over: when it closed, until that was told; due:
// when it will open (not open) or close (open) if nothing else comes; sent: its last page, unless
// it was resolved; to: where that went, unless it named no channel; f: when it opened or closed
// lately; flap: it is flapping, or, without f, it was, and nobody was told yet that it is open;
// stale: it closed for want of data. A key of which nothing is known but that it is quiet is not
// there.
//
// The key "" is that of a burst: open, sent, due, when it will be over, and text, what most keys
// said when it began, with {key} for the key. A burst may hold a million keys. One that says that
// text, opened with its last call and was not paged has a number for its state: that call, in µs
// after the burst was open. What could not be heard since then stands with the burst, for all of
// them: "deaf":[[µs,µs],…], until when and for how long.
//
// What was paged is resolved where it was paged: by a script whose alert pages another channel, and
// by one that has no such alert any more (retire).

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message/filter.h"
#include "trigger-runtime/vm/helpers/deadline_queue.h"
#include "trigger-runtime/vm/helpers/helper.h"
#include "trigger-runtime/vm/helpers/key_text.h"

namespace hastur {

// What goes out about one key, or (key "") about all of them.
struct AlertPage {
  // When it was due: pages go out in the order of (at, name of the alert, key).
  Time at;
  std::string key;
  std::string text;
  std::string details = "{}";  // JSON
  std::string to;              // the channel; empty: none was named
  bool resolves = false;
};

class Alert final : public Helper {
 public:
  // Counts up whenever the same calls may give another state: part of a run (commands.h).
  static constexpr int revision = 5;

  // The burst of an alert that names none: what one tick may cause has to end somewhere.
  static constexpr std::uint32_t burst_default = 1'000;
  // How long a burst must have been down to half before it is over.
  static constexpr Micros calm_after = std::chrono::minutes{1};

  struct Flap {
    std::uint32_t changes = 0;
    Micros span{0};
  };
  struct Options {
    // What values open a key and what values close it; without `clear` those that do not open it.
    std::optional<Condition> raise;
    std::optional<Condition> clear;
    // The same as JSON, as they are said to people.
    std::string raise_words;
    std::string clear_words;
    // A key opens, or closes, only when it was on its way for so long.
    std::optional<Micros> raise_after;
    std::optional<Micros> clear_after;
    // An open key is paged again so long after its last page.
    std::optional<Micros> again;
    // A key for which no call came for so long closes: there is no data.
    std::optional<Micros> stale;
    // A key that opened and closed so often in the span is flapping: one page, then none until it
    // did neither for the span.
    std::optional<Flap> flap;
    // If more are open at once: one page for all, and the rest only when at most half as many are
    // open for a minute.
    std::uint32_t burst = burst_default;
    // Of its pages.
    std::string to;
    std::string severity;
  };

  // One call for a key.
  struct Call {
    bool raises = false;
    bool clears = false;
    std::string_view text;     // UTF-8
    std::string_view details;  // a JSON object, or empty
    std::string_view value;    // JSON, or empty: none was given
  };

  // What is known of a key.
  struct Key {
    std::optional<Time> open, over, sent, due;
    Time t{};
    bool flapping = false;
    bool stale = false;
    std::vector<Time> changes;
    std::string text, details, value;
    std::string to;  // of `sent`

    bool is_open() const { return open && !over; }
    bool is_flapping() const { return flapping && !changes.empty(); }
    // That it is open is to be told, as a burst may have kept it from being told at once.
    bool was_flapping() const { return flapping && changes.empty(); }
    bool is_quiet() const { return !open && !due && changes.empty() && !flapping; }
  };

  Alert(std::string name, Options options)
      : Helper("alert", std::move(name)), options_(std::move(options)) {}

  const Options& options() const { return options_; }
  // What the value says. A boolean says it itself; any other needs options().raise.
  Call call_of(const Value& value) const;

  // Its script does not have it any more: what it has paged is resolved at the next tick, and
  // nothing is left of it.
  void retire() { is_retired_ = true; }
  bool is_retired() const { return is_retired_; }

  // `key` is not empty; `now` never goes back.
  void set(std::string_view key, const Call& call, Time now);
  bool is_open(std::string_view key) const;
  // Nothing for a key that is quiet, and for "".
  std::optional<Key> find(std::string_view key) const;
  bool is_burst() const { return burst_id_ != KeyTable::none; }

  // At a tick, after its callbacks: appends what goes out. Whether anything has changed.
  bool decide(Time now, std::vector<AlertPage>& pages);

  void clear() override;
  bool write(std::uint32_t id, std::string& out) const override;
  bool write_whole(std::uint32_t id, std::string& out) const override;
  bool has_deadlines() const override { return true; }
  bool pass_deaf(Micros deaf, Time now) override;
  std::size_t bytes() const override;

 private:
  static constexpr Time never = DeadlineQueue::never;
  // Until when something could not be heard, and how much.
  struct Deaf {
    Time until;
    Micros span;
  };

  void fetch_value(std::uint32_t id) const override { __builtin_prefetch(&known_[id], 1); }
  bool read_key(std::string_view key, JsonCursor& in, Time now) override;
  bool read_folded(std::string_view key, JsonCursor& in, Time now);
  bool read_fields(Key& key, JsonCursor& in, Time now, std::vector<Deaf>* deaf) const;
  void finish_reading() override;

  std::uint32_t make(std::string_view key);
  void forget(std::uint32_t id);
  void take_texts(Key& key, const Call& call);
  static std::size_t text_bytes(const Key& key);
  void open(Key& key, Time at);
  void close(Key& key, Time at);
  void note_change(Key& key, Time at) const;
  std::optional<Time> stale_at(const Key& key) const;
  bool begins_flapping(const Key& key) const;
  // It was paged elsewhere, by a script with another `to`.
  bool moves(const Key& key) const { return key.sent && key.to != options_.to; }

  // A key that opened with its last call, said folded_text_, and was not paged is folded: all that
  // is kept of it is the time of that call.
  bool is_folded(std::uint32_t id) const { return known_[id] == nullptr; }
  Time opened_at(std::uint32_t id) const { return time_from_us(keys().time(id)); }
  // `t` of a call at that time, when nothing else came: moved by what could not be heard.
  Time moved(Time call) const;
  void note_deaf(Deaf deaf);
  Time called_at(std::uint32_t id) const { return moved(opened_at(id)); }
  bool is_open(std::uint32_t id) const { return is_folded(id) || known_[id]->is_open(); }
  void fold(std::uint32_t id);
  // The key as it was; unfold() keeps it so.
  Key whole(std::uint32_t id) const;
  Key& unfold(std::uint32_t id);

  // The first moment at which there is anything to do about the key.
  Time deadline_of(std::uint32_t id) const;
  Time deadline_of(const Key& key) const;
  void queue(std::uint32_t id) { queue_.put(id, deadline_of(id)); }
  // These say whether anything has changed. First what has run out …
  bool pass_time(std::uint32_t id, Time now);
  // … then whether a burst begins or is over (then the keys that it held are paged) …
  enum class BurstStep : std::uint8_t { none, changed, ended };
  BurstStep decide_burst(Time now, std::vector<AlertPage>& pages);
  void begin_burst(Time now);
  void end_burst();
  // What most of the open keys say that were not paged.
  KeyText most_said();
  // … then the page of a key. What was paged elsewhere is resolved there before all.
  bool move(std::uint32_t id, Time now, std::vector<AlertPage>& pages);
  bool page(std::uint32_t id, Time now, Time not_before, std::vector<AlertPage>& pages);
  std::string some_open(std::size_t most) const;
  void resolve_all(Time now, std::vector<AlertPage>& pages);
  AlertPage page_of(std::uint32_t id, const Key& key, Time at, std::string text) const;
  AlertPage resolve_of(std::uint32_t id, const Key& key, Time at, std::string text) const;

  Options options_;
  bool is_retired_ = false;
  // Nothing for a folded key.
  std::vector<std::unique_ptr<Key>> known_;
  KeyText folded_text_;
  // Of the burst, in order.
  std::vector<Deaf> burst_deaf_;
  // Each key of which there is anything to do.
  DeadlineQueue queue_;
  std::uint32_t open_count_ = 0;
  std::uint32_t folded_count_ = 0;
  std::uint32_t burst_id_ = KeyTable::none;
  std::size_t text_bytes_ = 0;
};

}  // namespace hastur
