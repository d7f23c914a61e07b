#include "trigger-runtime/vm/helpers/key_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/check.h"

namespace hastur {
namespace {

// The first bytes as a number that sorts as they do.
std::uint64_t prefix_of(std::string_view key) {
  std::uint64_t bytes = 0;
  if (!key.empty()) std::memcpy(&bytes, key.data(), std::min(key.size(), sizeof bytes));
  if constexpr (std::endian::native == std::endian::little) bytes = __builtin_bswap64(bytes);
  return bytes;
}

}  // namespace

void KeyTable::put(Slot slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = slot.hash & mask;
  while (slots_[at].id != none) at = (at + 1) & mask;
  slots_[at] = slot;
}

void KeyTable::grow() {
  decltype(slots_) old(std::max<std::size_t>(16, 2 * slots_.size()));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id != none) put(slot);
  }
}

std::uint32_t KeyTable::free_id() {
  // A helper whose keys come and go and that is never walked would otherwise keep them all.
  if (free_.empty() && removed_.size() > 1'024 + count_) in_order();
  if (!free_.empty()) {
    const std::uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  HASTUR_CHECK(entries_.size() < none, "a helper has more keys than ids");
  entries_.emplace_back();
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

std::uint32_t KeyTable::add(std::string_view key) {
  if (8 * (std::size_t{count_} + 1) > 5 * slots_.size()) grow();
  const std::uint32_t id = free_id();
  Entry& entry = entries_[id];
  entry.time = 0;
  entry.mark = 0;
  entry.birth = ++births_;
  entry.size = static_cast<std::uint32_t>(key.size());
  char* text = entry.near;
  if (key.size() > near_max) {
    text = entry.far = new char[key.size()];
    far_bytes_ += key.size();
  }
  if (!key.empty()) std::memcpy(text, key.data(), key.size());
  put({hash_of(key), id});
  added_.push_back(id);
  ++count_;
  return id;
}

void KeyTable::remove(std::uint32_t id) {
  Entry& entry = entries_[id];
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = hash_of(key(id)) & mask;
  while (slots_[hole].id != id) hole = (hole + 1) & mask;
  // Those behind it that are not at their own place move up.
  for (std::size_t at = (hole + 1) & mask; slots_[at].id != none; at = (at + 1) & mask) {
    if (((at - slots_[at].hash) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole].id = none;
  if (entry.size > near_max) {
    delete[] entry.far;
    far_bytes_ -= entry.size;
  }
  entry.size = removed;
  removed_.push_back(id);
  --count_;
}

void KeyTable::clear() {
  for (const Entry& entry : entries_) {
    if (entry.size != removed && entry.size > near_max) delete[] entry.far;
  }
  release(slots_);
  release(entries_);
  release(order_);
  release(added_);
  release(removed_);
  release(free_);
  count_ = 0;
  far_bytes_ = 0;
}

void KeyTable::sort(std::span<std::uint32_t> ids) const {
  struct Place {
    std::uint64_t prefix;
    std::uint32_t id;
  };
  std::vector<Place> places;
  places.reserve(ids.size());
  for (const std::uint32_t id : ids) places.push_back({prefix_of(key(id)), id});
  std::ranges::sort(places, [this](const Place& a, const Place& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : key(a.id) < key(b.id);
  });
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = places[i].id;
}

std::span<const std::uint32_t> KeyTable::in_order() {
  if (!removed_.empty()) {
    const auto gone = [this](std::uint32_t id) { return !holds(id); };
    std::erase_if(order_, gone);
    std::erase_if(added_, gone);
    free_.insert(free_.end(), removed_.begin(), removed_.end());
    removed_.clear();
  }
  if (!added_.empty()) {
    sort(added_);
    const auto middle = static_cast<std::ptrdiff_t>(order_.size());
    order_.insert(order_.end(), added_.begin(), added_.end());
    release(added_);
    if (middle > 0) {
      std::inplace_merge(order_.begin(), order_.begin() + middle, order_.end(),
                         [this](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
    }
  }
  return order_;
}

std::size_t KeyTable::bytes() const {
  // What a list has room for beyond its end was never touched: it is no memory yet.
  return slots_.size() * sizeof(Slot) + entries_.size() * sizeof(Entry) + far_bytes_ +
         (order_.size() + added_.size() + removed_.size() + free_.size()) * sizeof(std::uint32_t);
}

}  // namespace hastur
