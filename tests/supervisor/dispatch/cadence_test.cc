// When the dispatcher stores states: on a store that takes time for each byte.

#include <gtest/gtest.h>

#include <map>

#include "tests/supervisor/dispatch/rig.h"
#include "tests/support/forwarding_store.h"

namespace hastur::test {
namespace {

using namespace std::chrono_literals;

class SlowStore final : public ForwardingStore {
 public:
  SlowStore(std::unique_ptr<CheckpointStore> inner, ManualClock& clock)
      : ForwardingStore(std::move(inner)), clock_(clock) {}

  Result<void> commit(CommitBatch& batch) override {
    for (const Checkpoint& checkpoint : batch.checkpoints) {
      // 5 MB/s.
      const Micros took{static_cast<std::int64_t>(checkpoint.state.size() / 5)};
      clock_.advance(took);
      spent[checkpoint.trigger] += took;
      at[checkpoint.trigger].push_back(clock_.monotonic());
    }
    return ForwardingStore::commit(batch);
  }

  std::map<TriggerName, Micros> spent;
  std::map<TriggerName, std::vector<Micros>> at;

 private:
  ManualClock& clock_;
};

struct SlowRig : Rig {
  SlowRig() {
    auto slow = std::make_unique<SlowStore>(std::move(store), clock);
    said = slow.get();
    store = std::move(slow);
    start();
  }
  SlowStore* said;
};

constexpr const char* large_state = "match=a pad=1100000";

TEST(Cadence, ALargeStateTakesATwentiethOfTheTimeAndTheOthersDoNotWaitForIt) {
  SlowRig rig;
  rig.desire({{"large", large_state}, {"small", "match=a"}});
  const Micros began = rig.clock.monotonic();
  rig.said->at.clear();
  rig.said->spent.clear();
  rig.send("a", 600);
  const Micros passed = rig.clock.monotonic() - began;
  EXPECT_LE(rig.said->spent["large"].count(), (passed / 19).count());
  EXPECT_GE(rig.said->at["large"].size(), 10u);
  EXPECT_GE(rig.said->at["small"].size(), 55u);
  Micros before = began;
  for (const Micros at : rig.said->at["small"]) {
    EXPECT_LE((at - before).count(), Micros{1'600ms}.count());
    before = at;
  }
}

TEST(Cadence, LargeStatesTakeTurns) {
  SlowRig rig;
  rig.desire({{"a", large_state}, {"b", large_state}, {"c", large_state}});
  rig.said->at.clear();
  rig.send("a", 500);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_GE(rig.said->at[name].size(), 3u) << name;
    EXPECT_LE(rig.said->at[name].size(), 5u) << name;
  }
}

// The position that is stored is not beyond a state that is not.
TEST(Cadence, AStateThatWaitsIsMadeAgainAfterACrash) {
  SlowRig rig;
  const std::vector<std::pair<std::string, std::string>> scripts = {
      {"large", large_state}, {"other", large_state}, {"small", "match=a"}};
  rig.desire(scripts);
  for (int round = 0; round < 5; ++round) {
    rig.send("a", 17);
    rig.start();
    rig.desire(scripts);
  }
  rig.send("b", 150);
  for (const char* name : {"large", "other", "small"}) {
    EXPECT_EQ(rig.stored_n(name), 85u) << name;
    EXPECT_EQ(rig.trigger(name).counts.diverged, 0u);
  }
}

}  // namespace
}  // namespace hastur::test
