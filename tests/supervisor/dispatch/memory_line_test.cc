#include "supervisor/dispatch/memory_line.h"

#include <gtest/gtest.h>

#include "tests/support/commit_builder.h"

namespace hastur {
namespace {

class MemoryLines : public testing::Test {
 protected:
  MemoryLines() {
    CommitBuilder first;
    first.start("t", 1, 10, "").journal("t", 1, 11, "start");
    commit(first);
  }
  void commit(CommitBuilder& builder) {
    CommitBatch batch = builder.batch();
    ASSERT_TRUE(store_->commit(batch));
  }
  // Run 2 is a live replay that took over at 100.
  void replay(const std::string& detail) {
    CommitBuilder again;
    again.start("t", 2, 59).journal("t", 2, 100, "replay", detail);
    commit(again);
  }
  bool holds(std::uint64_t run, std::uint64_t sequence, std::uint64_t present = 2) {
    return MemoryLine::of(*store_, "t", {present})->holds({run}, {sequence});
  }

  std::unique_ptr<CheckpointStore> store_ = make_memory_store();
};

TEST_F(MemoryLines, OfAReplayWithAMemoryGoesBackToWhereItsAnswerBegins) {
  replay(R"({"after":59,"fresh":false,"run":1})");
  EXPECT_TRUE(holds(1, 20));
  EXPECT_TRUE(holds(1, 59));
  EXPECT_FALSE(holds(1, 60)) << "the replay has decided anew";
  EXPECT_TRUE(holds(2, 60));
}

TEST_F(MemoryLines, OfAReplayThatBeganAnewHoldsWhatItWentThroughBeforeItsAnswer) {
  replay(R"({"after":59,"fresh":true,"from":30,"run":1})");
  EXPECT_FALSE(holds(1, 30));
  EXPECT_TRUE(holds(1, 31));
  EXPECT_TRUE(holds(1, 59));
  EXPECT_FALSE(holds(1, 60));
  EXPECT_TRUE(holds(2, 60));
}

TEST_F(MemoryLines, OfAReplayThatBeganAnewAtItsAnswerHoldsNothingOfBefore) {
  for (const char* detail :
       {R"({"after":59,"fresh":true,"from":59,"run":1})", R"({"after":59,"fresh":true,"run":1})"}) {
    store_ = make_memory_store();
    CommitBuilder first;
    first.start("t", 1, 10, "").journal("t", 1, 11, "start");
    commit(first);
    replay(detail);
    EXPECT_FALSE(holds(1, 59)) << detail;
    EXPECT_TRUE(holds(2, 60)) << detail;
  }
}

}  // namespace
}  // namespace hastur
