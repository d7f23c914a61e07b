#pragma once

// What a worker may say: the trust boundary, as a class without a process.
//
// It is told every command that goes out, and asked about every reply that comes in, in order. A
// reply is allowed if it answers the oldest command, speaks for that command's triggers only, about
// inputs that they were handed, in order, and in payloads that are JSON of bounded size.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/result.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// A payload is larger than the message or notification that it stands for by little.
inline constexpr std::size_t payload_bytes_max = 2u << 20;
// What the runtime itself may keep for a trigger.
inline constexpr std::size_t runtime_bytes_max = 1u << 20;
// What was observed of a trigger, or what a data script returned.
inline constexpr std::size_t data_bytes_max = 64u << 20;
// Texts of errors, paths, filters.
inline constexpr std::size_t text_bytes_max = 64u << 10;
// A derived message's depth; beyond it the worker has refused (DESIGN §7).
inline constexpr std::uint8_t depth_max = 8;

class ReplyCheck {
 public:
  // `command` has gone out.
  void sent(const WorkerCommand& command);

  // How many triggers the oldest command speaks of; 0 if none is under way.
  std::size_t triggers_expected() const;

  // Whether the worker may say this now. If so the oldest command is answered; if not, the sentence
  // says what did not hold, and nothing further may be believed.
  Result<void> answered(const WorkerReply& reply);

  // Whether the worker was given this trigger, and this input of it is under way: for what a status
  // page claims.
  bool knows(TriggerHandle handle) const { return known_.contains(handle.value); }
  bool under_way(Sequence sequence) const;

 private:
  // What stands of a trigger between commands.
  struct Known {
    Sequence reached;
    std::uint64_t state_bytes_ceiling = 0;
  };
  struct Rows {
    TriggerHandle handle;
    std::uint32_t from;
    std::uint32_t end;
    // Calls that it was told to skip, by input and number.
    std::set<std::pair<Sequence, std::uint32_t>> skips;
  };
  struct Expected {
    std::size_t command = 0;  // index of the variant
    TriggerHandle handle;
    Sequence restored_to;
    // Of loads.
    bool migration_due = false;
    bool warmth_due = false;
    // Of feeds. Two owners: the worker's queue until the answer, and this.
    std::shared_ptr<const InputBatch> input;
    std::vector<Rows> rows;
  };

  Result<void> check(const Expected& expected, const Loaded& loaded);
  Result<void> check(const Expected& expected, const LoadFailed& failed);
  Result<void> check(const Expected& expected, const Restored& restored);
  Result<void> check(const Expected& expected, const FeedReply& reply);
  Result<void> check(const Expected& expected, const Judged& judged);
  Result<void> check(const Expected& expected, const Unloaded& unloaded);
  Result<void> check(const Expected& expected, const Observed& observed);
  Result<void> check(const Expected& expected, const Evaluated& evaluated);
  Result<void> check_progress(const InputBatch& input, const Rows& rows,
                              const TriggerProgress& progress);

  std::unordered_map<std::uint32_t, Known> known_;
  std::deque<Expected> expected_;
};

}  // namespace hastur
