#pragma once

// ctx:keyed: a value for each key, and when the key was touched last.
//
// State of a key: {"q":true,"t":µs,"v":value}; t is when it was touched (later by what could not be
// heard since), q that its silence was told, v the value, if it has one. Keys are in a list by t:
// what is silent, is to be forgotten or has to go is found at its front.

#include <optional>
#include <set>

#include "trigger-runtime/vm/helpers/helper.h"

namespace hastur {

// The values of a keyed helper: they are the script's, and may be anything.
class KeyValues {
 public:
  virtual ~KeyValues() = default;
  // Appends the JSON of the value; false if it is none.
  virtual bool write(std::uint32_t id, std::string& out) const = 0;
  // Takes what was written; false if it is no JSON.
  virtual bool read(std::uint32_t id, std::string_view json) = 0;
  virtual void drop(std::uint32_t id) = 0;
  virtual void clear() = 0;
};

class Keyed final : public Helper {
 public:
  // Counts up whenever the same calls may give another state: part of a run (commands.h).
  static constexpr int revision = 3;

  struct Options {
    // A key that was not touched for so long goes.
    std::optional<Micros> forget;
    // If there would be more keys, the one that was touched longest ago goes (the first of several
    // by its bytes).
    std::optional<std::uint32_t> max;
  };

  // `values` outlives the helper.
  Keyed(std::string name, const Options& options, KeyValues& values)
      : Helper("keyed", std::move(name)), options_(options), values_(values) {}

  const Options& options() const { return options_; }
  // At most once, before anything else: a key is due when it was not touched for so long.
  void set_silence(Micros after) { silence_ = after; }
  const std::optional<Micros>& silence() const { return silence_; }

  // The key's id; nothing if it is not there: then make() makes it. `now` never goes back.
  std::optional<std::uint32_t> touch(std::string_view key, Time now);
  std::uint32_t make(std::string_view key, Time now);
  void drop(std::uint32_t id);
  bool has_value(std::uint32_t id) const { return (keys().mark(id) & valued) != 0; }
  // The value itself is with KeyValues.
  void set_has_value(std::uint32_t id, bool has);
  Time touched_at(std::uint32_t id) const { return time_from_us(keys().time(id)); }

  // If the key is (still) due: its id, and its silence counts as told.
  std::optional<std::uint32_t> take_silence(std::string_view key, Time now);
  // If the key is (still) due, it goes.
  bool forget(std::string_view key, Time now);

  void clear() override;
  bool write(std::uint32_t id, std::string& out) const override;
  bool has_deadlines() const override { return silence_ || options_.forget; }
  void collect_due(Time now, std::vector<DueKey>& due) override;
  bool pass_deaf(Micros deaf, Time now) override;
  std::size_t bytes() const override;

 private:
  static constexpr std::uint32_t quiet = 1;   // its silence was told
  static constexpr std::uint32_t valued = 2;  // it has a value
  static constexpr std::uint32_t none = KeyTable::none;
  struct Link {
    std::uint32_t before = none;
    std::uint32_t after = none;
  };
  struct ByKey {
    const KeyTable* keys;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return keys->key(a) < keys->key(b); }
  };

  void fetch_value(std::uint32_t id) const override { __builtin_prefetch(&links_[id], 1); }
  bool read_key(std::string_view key, JsonCursor& in, Time now) override;
  void finish_reading() override;
  bool is_due(std::uint32_t id, const std::optional<Micros>& span, Time now) const {
    return span && keys().time(id) <= to_us(now) - span->count();
  }
  void put_last(std::uint32_t id, Time now);
  void append(std::uint32_t id);
  void unlink(std::uint32_t id);
  void drop_oldest();

  Options options_;
  std::optional<Micros> silence_;
  KeyValues& values_;
  std::vector<Link, LargeAllocator<Link>> links_;
  std::uint32_t first_ = none;
  std::uint32_t last_ = none;
  // The first that was not yet looked at for its silence: all before it are told.
  std::uint32_t next_silent_ = none;
  // The keys that were touched at `oldest_time_`, while keys have to go from among them: the list
  // has no order among those.
  std::set<std::uint32_t, ByKey> oldest_{ByKey{&keys()}};
  std::int64_t oldest_time_ = 0;
};

}  // namespace hastur
