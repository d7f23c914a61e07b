#pragma once

// What all helpers of scripts have in common: a name, keys, and a state that is JSON.
//
// A helper keeps its keys in native structures and is told the time. Its state is all of it: read
// back from what was written, it goes on in the same way, byte by byte. Deadlines follow from the
// state; they are judged at ticks.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "trigger-runtime/vm/helpers/json_cursor.h"
#include "trigger-runtime/vm/helpers/key_table.h"

namespace hastur {

class Helper;

// A key whose deadline has passed. The key is a copy: what happens at the deadlines before it may
// remove it, or all of the state may be put back meanwhile.
struct DueKey {
  Time at;
  Helper* helper = nullptr;
  std::string key;
  // Which of the helper's deadlines.
  enum class What : std::uint8_t { silence, forget } what = What::silence;
};

class Helper {
 public:
  // Of a key.
  static constexpr std::size_t key_bytes_max = 1'024;

  virtual ~Helper() = default;
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  // "keyed", "window", …
  std::string_view kind() const { return kind_; }
  const std::string& name() const { return name_; }
  // Where its state stands in ctx.state: "@keyed.hosts".
  const std::string& state_key() const { return state_key_; }
  KeyTable& keys() { return keys_; }
  const KeyTable& keys() const { return keys_; }

  virtual void clear() { keys_.clear(); }
  // This key will be asked for soon: fetches where it stands in the table …
  void fetch_place(std::string_view key) const { keys_.fetch_place(key); }
  // … and then, a little later, what is kept of it.
  void fetch(std::string_view key) const {
    keys_.fetch_entry(key, [this](std::uint32_t id) { fetch_value(id); });
  }
  // Takes the state that was written; the helper must be clear. Nothing if it is one, else where it
  // is none: "[\"u1\"].t". `now` is the stream time at which it was written: nothing in it is
  // later.
  std::optional<std::string> read(std::string_view json, Time now);
  // Drops what the time has made void, so that what is written does not depend on when it was
  // looked at last.
  virtual void settle(Time) {}
  // Appends the value of a key. False if what a script has put in it is no JSON; the reason is
  // known where it was written.
  virtual bool write(std::uint32_t id, std::string& out) const = 0;
  // The same for scripts that look at it: with what the state leaves out since it stands elsewhere.
  virtual bool write_whole(std::uint32_t id, std::string& out) const { return write(id, out); }

  virtual bool has_deadlines() const { return false; }
  // Appends the keys that are due.
  virtual void collect_due(Time, std::vector<DueKey>&) {}
  // For this long before `now` nothing could be heard. Whether anything has changed.
  virtual bool pass_deaf(Micros, Time) { return false; }

  // Memory in use.
  virtual std::size_t bytes() const { return keys_.bytes(); }
  // What was left out since the start: keys over the most, values too old for a window.
  std::uint64_t dropped() const { return dropped_; }
  void note_dropped() { ++dropped_; }

 protected:
  Helper(std::string_view kind, std::string name)
      : kind_(kind), name_(std::move(name)), state_key_("@" + kind_ + "." + name_) {}

  // Fetches what is kept of the key beside its entry in the table.
  virtual void fetch_value(std::uint32_t) const {}
  // Makes the key from its value; false if it is none.
  virtual bool read_key(std::string_view key, JsonCursor& in, Time now) = 0;
  // After the last key.
  virtual void finish_reading() {}

  std::uint64_t dropped_ = 0;

 private:
  std::string kind_;
  std::string name_;
  std::string state_key_;
  KeyTable keys_;
};

}  // namespace hastur
