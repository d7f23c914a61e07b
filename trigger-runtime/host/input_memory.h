#pragma once

// The one memory file that all workers of a parent read their commands and batches from.
//
// A batch is placed once, however many workers take it, and freed when the last has answered. The
// seal keeps even the parent from giving pages back, so regions are handed out from the bottom:
// what is resident is the most that was ever in use at once. When something does not fit, those who
// wait are served in the order in which they came, and nobody passes them: a large command is not
// starved by small ones.

#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "trigger-runtime/host/memory_file.h"
#include "trigger-runtime/host/region_allocator.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-runtime/protocol/encoding.h"

namespace hastur {

class InputMemory final : public SharedInputs {
 public:
  // Somebody with something to place.
  class Waiter {
   public:
    virtual ~Waiter() = default;
    // Room was made: places what it can. Returns whether that was all that it waited for.
    virtual bool room_made() = 0;
  };

  InputMemory(MemoryFile file, Mapping mapping);

  const MemoryFile& file() const { return file_; }

  // Copies `bytes` in; nothing when there is no room now.
  std::optional<Region> place(std::string_view bytes);
  void give_back(const Region& region) { allocator_.give_back(region); }

  // Places a batch at the first call and counts further ones; nothing when there is no room now.
  // Each call that placed is answered by one of give_back_input. Two owners while it is placed: the
  // caller and this memory.
  std::optional<PlacedInput> place_input(const std::shared_ptr<const InputBatch>& input);
  void give_back_input(const std::shared_ptr<const InputBatch>& input);

  // Whether `waiter` may place now: nobody waits, or it is first in line.
  bool may_place(const Waiter& waiter) const {
    return waiting_.empty() || waiting_.front() == &waiter;
  }
  // Puts it in line, unless it stands there.
  void wait(Waiter& waiter);
  void stop_waiting(const Waiter& waiter);
  // Called when regions have been given back.
  void serve_waiters();

  // Takes what a cage lacks. True the first time: it is logged once for all workers.
  bool first_cage_report(std::vector<std::string> missing) {
    return std::exchange(cage_missing_, std::move(missing)).empty();
  }
  const std::vector<std::string>& cage_missing() const override { return cage_missing_; }

 private:
  struct Placed {
    std::shared_ptr<const InputBatch> input;
    PlacedInput where;
    std::size_t users = 0;
  };

  MemoryFile file_;
  Mapping mapping_;
  RegionAllocator allocator_;
  std::unordered_map<const InputBatch*, Placed> inputs_;
  std::deque<Waiter*> waiting_;
  bool serving_ = false;
  std::vector<std::string> cage_missing_;
};

}  // namespace hastur
