#pragma once

// What a commit may do: where each trigger stands, and the rules by which a batch is refused.
//
// Every store keeps these in memory and asks them before it writes, so that the rules are the same
// everywhere and a conflict costs no transaction.

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "core/result.h"
#include "state/checkpoint_store.h"

namespace hastur {

struct TriggerHead {
  // The store's own number for the name, from 1 in the order of their coming; never changes.
  std::uint64_t number = 0;
  // The newest run the name ever had; 0 for a name that only has logs or decisions.
  Run run;
  // It runs: not removed, not a name only.
  bool live = false;
  Sequence state_sequence;
  Sequence effects_sequence;
  // Of its newest snapshot; nothing if there is none.
  std::optional<Time> snapshot_time = {};
};

class TriggerHeads {
 public:
  // The heads that a batch changes. Names are views of the batch.
  using Change = std::unordered_map<std::string_view, TriggerHead>;

  // For a store that opens.
  void put(const TriggerName& name, const TriggerHead& head);
  // Null for a name never seen.
  const TriggerHead* find(std::string_view name) const;

  // What the heads will be after the batch, with an entry for every name in it; or the conflict.
  // Checkpoints and marks that are not of a run which starts in the batch come before the starts,
  // then the starts, then the other checkpoints and marks, removals last: a store writes them in
  // this order.
  Result<Change> stage(const CommitBatch& batch) const;
  void apply(const Change& change);

  // Whether a snapshot is to be kept of this checkpoint of the batch that was staged.
  bool keeps_snapshot(const Change& change, const Checkpoint& checkpoint) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<TriggerName, TriggerHead, Hash, std::equal_to<>> heads_;
  std::uint64_t newest_number_ = 0;
};

// Whether the item is of a run that starts in the batch.
class StartedRuns {
 public:
  explicit StartedRuns(const CommitBatch& batch);
  template <class Item>
  bool has(const Item& item) const {
    if (runs_.empty()) return false;
    const auto found = runs_.find(item.trigger);
    return found != runs_.end() && found->second == item.run;
  }

 private:
  std::unordered_map<std::string_view, Run> runs_;
};

}  // namespace hastur
