#pragma once

// Which keys of a helper are due, by id: each stands in it at most once.
//
// Deadlines move away with most calls. A key stays where it stands, is found due too early, and is
// put where it belongs: so a call costs nothing here.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/time.h"
#include "trigger-runtime/vm/helpers/large_allocator.h"

namespace hastur {

class DeadlineQueue {
 public:
  static constexpr Time never = Time::max();

  // The key is due then, or before, if it stands there already.
  void put(std::uint32_t id, Time at) {
    if (at_.size() <= id) at_.resize(id + 1, never);
    if (at >= at_[id]) return;
    at_[id] = at;
    heap_.emplace_back(at, id);
    std::ranges::push_heap(heap_, std::greater{});
    if (heap_.size() > 2 * at_.size() + 1'024) rebuild();
  }
  void remove(std::uint32_t id) {
    if (id < at_.size()) at_[id] = never;
  }
  // Takes them out: by time, then by id.
  std::vector<std::uint32_t> take_due(Time now) {
    std::vector<std::uint32_t> due;
    while (!heap_.empty() && heap_.front().first <= now) {
      const auto [at, id] = heap_.front();
      std::ranges::pop_heap(heap_, std::greater{});
      heap_.pop_back();
      if (at_[id] != at) continue;  // it was removed, or stands earlier
      at_[id] = never;
      due.push_back(id);
    }
    return due;
  }
  void clear() {
    release(heap_);
    release(at_);
  }
  // Memory in use.
  std::size_t bytes() const { return heap_.size() * sizeof(Deadline) + at_.size() * sizeof(Time); }

 private:
  using Deadline = std::pair<Time, std::uint32_t>;

  void rebuild() {
    heap_.clear();
    for (std::uint32_t id = 0; id < at_.size(); ++id) {
      if (at_[id] != never) heap_.emplace_back(at_[id], id);
    }
    std::ranges::make_heap(heap_, std::greater{});
  }

  std::vector<Deadline> heap_;
  // Where each stands; what the heap says otherwise is void.
  std::vector<Time> at_;
};

}  // namespace hastur
