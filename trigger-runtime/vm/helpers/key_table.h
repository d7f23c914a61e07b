#pragma once

// The keys of one helper: found by hash, walked in the order of their bytes.
//
// An entry is one cache line with the key in it, so that touching one of a million keys costs two
// cache misses. An id stands for a key until it is removed, and may then stand for another one.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "trigger-runtime/vm/helpers/large_allocator.h"

namespace hastur {

class KeyTable {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  KeyTable() = default;
  ~KeyTable() { clear(); }
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  // The id of the key, or `none`. `candidate(id)` is told of each id that may be it before that is
  // known: what is needed of it can be fetched meanwhile.
  template <class Candidate>
  std::uint32_t find(std::string_view key, Candidate candidate) const {
    if (slots_.empty()) return none;
    const std::size_t mask = slots_.size() - 1;
    const std::uint32_t hash = hash_of(key);
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.id == none) return none;
      if (slot.hash != hash) continue;
      candidate(slot.id);
      if (this->key(slot.id) == key) return slot.id;
    }
  }
  std::uint32_t find(std::string_view key) const {
    return find(key, [](std::uint32_t) {});
  }
  // The key will be looked for soon: fetches where its id stands …
  void fetch_place(std::string_view key) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash_of(key) & (slots_.size() - 1)]);
  }
  // … and then, a little later, its entry and what candidate(id) fetches, as find() does.
  template <class Candidate>
  void fetch_entry(std::string_view key, Candidate candidate) const {
    if (slots_.empty()) return;
    const std::size_t mask = slots_.size() - 1;
    const std::uint32_t hash = hash_of(key);
    for (std::size_t at = hash & mask; slots_[at].id != none; at = (at + 1) & mask) {
      if (slots_[at].hash != hash) continue;
      __builtin_prefetch(&entries_[slots_[at].id], 1);
      return candidate(slots_[at].id);
    }
  }
  // Adds a key that is not there.
  std::uint32_t add(std::string_view key);
  void remove(std::uint32_t id);
  void clear();

  std::uint32_t count() const { return count_; }
  // Every id is below.
  std::uint32_t ids_end() const { return static_cast<std::uint32_t>(entries_.size()); }
  bool holds(std::uint32_t id) const { return entries_[id].size != removed; }
  // Valid until the key is removed or another one added.
  std::string_view key(std::uint32_t id) const {
    const Entry& entry = entries_[id];
    return {entry.size <= near_max ? entry.near : entry.far, entry.size};
  }

  // For the helper: 0 of a new key.
  std::int64_t& time(std::uint32_t id) { return entries_[id].time; }
  std::int64_t time(std::uint32_t id) const { return entries_[id].time; }
  std::uint32_t& mark(std::uint32_t id) { return entries_[id].mark; }
  std::uint32_t mark(std::uint32_t id) const { return entries_[id].mark; }

  // All ids in the order of the keys' bytes; valid until the next add, remove or clear.
  std::span<const std::uint32_t> in_order();
  // Counts up with each key that is added: tells a walk which keys were there when it began.
  std::uint64_t births() const { return births_; }
  std::uint64_t birth(std::uint32_t id) const { return entries_[id].birth; }

  // Memory in use.
  std::size_t bytes() const;

 private:
  static constexpr std::uint32_t near_max = 40;
  static constexpr std::uint32_t removed = UINT32_MAX;
  struct alignas(64) Entry {
    std::int64_t time;
    std::uint64_t birth;
    std::uint32_t mark;
    std::uint32_t size;
    union {
      char near[near_max];
      char* far;
    };
  };
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = none;
  };

  static std::uint32_t hash_of(std::string_view key) {
    return static_cast<std::uint32_t>(hash64(key));
  }
  void grow();
  void put(Slot slot);
  std::uint32_t free_id();
  void sort(std::span<std::uint32_t> ids) const;

  // Open addressing, a power of two, at most five eighths full.
  std::vector<Slot, LargeAllocator<Slot>> slots_;
  std::vector<Entry, LargeAllocator<Entry>> entries_;
  std::uint32_t count_ = 0;
  std::uint64_t births_ = 0;
  std::size_t far_bytes_ = 0;
  // Sorted at the last in_order(), without the keys added since; removed ones still stand in both
  // and their ids wait in `removed_`, so that no id stands in a list twice.
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> added_;
  std::vector<std::uint32_t> removed_;
  std::vector<std::uint32_t> free_;
};

}  // namespace hastur
