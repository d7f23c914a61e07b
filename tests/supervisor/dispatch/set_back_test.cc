// Dispatcher: a History of the same stream that ends before what was taken from it: an older copy
// stands in its place, or its newest part is gone.

#include <gtest/gtest.h>

#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

// The same stream up to about `last`.
std::unique_ptr<History> older_copy(History& history, Sequence last) {
  auto copy = make_memory_history(history.stream());
  while (copy->last() < last) {
    const auto batches = history.read(copy->last().next(), {.batches_max = 1, .names = {}});
    HASTUR_CHECK(batches && !batches->empty(), "the copy is older");
    HASTUR_CHECK(copy->append(batches->front(), {}), "memory takes it");
  }
  return copy;
}

class SetBack : public testing::Test {
 protected:
  SetBack() {
    rig.desire({{"t", "match=a"}});
    rig.send("a", 40);
    rig.send("b", 20);
    seen = rig.history->last();
    copy = older_copy(*rig.history, Sequence{10});
  }
  void syndicator_restarts() {
    rig.syndicator.reset();
    rig.history = std::move(copy);
    rig.syndicator =
        std::make_unique<Syndicator>(*rig.history, Syndicator::Options{}, rig.clock.now());
  }
  std::vector<JournalRecord> lost() {
    auto journal = rig.store->journal("t", hastur::Run{1}).value();
    std::erase_if(journal, [](const JournalRecord& record) { return record.decision != "lost"; });
    return journal;
  }
  Rig rig;
  Sequence seen;
  std::unique_ptr<History> copy;
};

TEST_F(SetBack, NoInputIsSwallowedAfterTheSupervisorHasConnected) {
  syndicator_restarts();
  rig.dispatcher->connected();
  rig.pump();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 45u);
  EXPECT_GT(rig.history->last(), seen.plus(numbers_skipped));
  ASSERT_EQ(lost().size(), 1u);
  const Json detail = parse_json(lost()[0].detail).value();
  EXPECT_EQ(detail["why"], "set_back");
  EXPECT_EQ(detail["first"], seen.value + 1) << "what was taken before stays taken";
  EXPECT_EQ(rig.dispatcher->last_lost()->why, "set_back");
  EXPECT_EQ(rig.stopped, "");
}

TEST_F(SetBack, AStateBeyondItsEndGoesOnAfterARestartOfBoth) {
  syndicator_restarts();
  rig.start();
  rig.desire({{"t", "match=a"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 45u);
  EXPECT_EQ(rig.trigger("t").counts.diverged, 0u);
  ASSERT_EQ(lost().size(), 1u);
  rig.start();
  rig.send("b", 20);
  EXPECT_EQ(lost().size(), 1u) << "once";
}

}  // namespace
}  // namespace hastur::test
