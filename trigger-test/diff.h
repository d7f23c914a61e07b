#pragma once

// What two versions of a trigger do otherwise on the same inputs.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "trigger-test/stand.h"

namespace hastur {

enum class EffectGroup : std::uint8_t { notification, statistic, log, error };

// One difference: something that came of one of the two alone, or of both and not alike.
struct EffectChange {
  enum class What : std::uint8_t { appears, vanishes, changes, moves };
  What what = What::appears;
  EffectGroup group = EffectGroup::notification;
  // Of the new one, but for what vanishes.
  Time time;
  std::uint64_t seq = 0;
  // What it is, without its texts and values: "pager_duty spike/u1", "gauge load.spikes".
  std::string identity;
  // Payloads; null on the side where it is not. Of an error {"text","script","line"}.
  Json old_one;
  Json new_one;
  // Of what moves: how much later the new one is.
  Micros later{0};
};

class EffectDiff {
 public:
  // Notifications and errors are kept one by one, of each up to so many; of statistics and logs
  // those of an identity up to a few. What is beyond is counted.
  static constexpr std::size_t kept_max = 10'000;
  static constexpr std::size_t kept_of_identity = 3;

  struct Counts {
    std::uint64_t same = 0;
    std::uint64_t appear = 0;
    std::uint64_t vanish = 0;
    std::uint64_t change = 0;
    std::uint64_t move = 0;
    bool differ() const { return appear + vanish + change + move > 0; }
  };

  // What came of some inputs, complete for these, in the order of the stream. `seq_of` numbers the
  // message of an input.
  void add(const std::vector<Seen>& old_ones, const std::vector<Seen>& new_ones,
           const std::function<std::uint64_t(Sequence)>& seq_of);
  // After the last add(): pages that vanish and appear at another time within the hour have moved.
  void finish();

  // In order of time.
  const std::vector<EffectChange>& changes() const { return changes_; }
  const Counts& counts(EffectGroup group) const { return counts_[static_cast<std::size_t>(group)]; }
  // By group and identity.
  const std::map<std::pair<EffectGroup, std::string>, Counts>& by_identity() const {
    return by_identity_;
  }
  bool differ() const;

 private:
  struct Thing;
  void compare(std::vector<Thing> old_ones, std::vector<Thing> new_ones);
  void note(EffectChange change);

  std::vector<EffectChange> changes_;
  Counts counts_[4];
  std::map<std::pair<EffectGroup, std::string>, Counts> by_identity_;
  std::size_t kept_[4] = {};
};

}  // namespace hastur
