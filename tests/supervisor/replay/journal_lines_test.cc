#include "supervisor/replay/journal_lines.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "core/json.h"
#include "tests/support/commit_builder.h"

namespace hastur {
namespace {

class JournalLines : public testing::Test {
 protected:
  void commit(CommitBuilder& builder) {
    const auto done = builder.into(*store_);
    ASSERT_TRUE(done) << done.error().message;
  }
  // "TRIGGER RUN DECISION SEQUENCE" of each line.
  std::vector<std::string> lines(std::uint64_t first, std::uint64_t last) {
    text_.clear();
    const auto count = append_journal_lines(text_, *store_, {first}, {last});
    EXPECT_TRUE(count);
    std::vector<std::string> all;
    std::istringstream in(text_);
    for (std::string line; std::getline(in, line);) {
      const auto json = parse_json(line);
      EXPECT_TRUE(json) << line;
      if (!json) continue;
      EXPECT_FALSE(json->contains("type")) << "no message";
      all.push_back(fmt::format("{} {} {} {}", (*json)["trigger"].get<std::string>(),
                                (*json)["run"].get<int>(), (*json)["journal"].get<std::string>(),
                                (*json)["sequence"].get<int>()));
    }
    EXPECT_EQ(count ? *count : 0, all.size());
    return all;
  }

  std::unique_ptr<CheckpointStore> store_ = make_memory_store();
  std::string text_;
};

using Lines = std::vector<std::string>;

TEST_F(JournalLines, AreTheDecisionsOfTheStretchByPlaceInTheStream) {
  CommitBuilder start;
  start.start("b", 1, 0).start("a", 1, 0);
  start.journal("b", 1, 20, "skip", R"({"callback":1,"why":"killed"})");
  start.journal("a", 1, 20, "skip", R"({"callback":2,"why":"killed"})");
  start.journal("a", 1, 9, "skip").journal("a", 1, 10, "skip").journal("b", 1, 30, "skip");
  start.journal("b", 1, 31, "skip");
  commit(start);
  EXPECT_EQ(lines(10, 30), (Lines{"a 1 skip 10", "a 1 skip 20", "b 1 skip 20", "b 1 skip 30"}));
  EXPECT_EQ(lines(32, 40), Lines{});
  lines(20, 20);
  EXPECT_EQ(text_.substr(0, text_.find('\n')),
            R"({"decided_at":20000000,"detail":{"callback":2,"why":"killed"},"journal":"skip",)"
            R"("run":1,"sequence":20,"trigger":"a","version":"v-a-1"})");
}

TEST_F(JournalLines, NameAPauseThatLastsWhenTheStretchBegins) {
  CommitBuilder start;
  start.start("a", 1, 0);
  start.journal("a", 1, 5, "pause", R"({"by":"person","why":"w"})");
  start.journal("a", 1, 15, "resume");
  start.journal("a", 1, 25, "pause", R"({"by":"person","why":"w"})");
  commit(start);
  EXPECT_EQ(lines(10, 20), (Lines{"a 1 pause 5", "a 1 resume 15"}));
  EXPECT_EQ(lines(16, 20), Lines{});
  EXPECT_EQ(lines(30, 40), Lines{"a 1 pause 25"});
  // It ended with its run.
  CommitBuilder again;
  again.start("a", 2, 28).journal("a", 2, 35, "skip");
  commit(again);
  EXPECT_EQ(lines(30, 40), Lines{"a 2 skip 35"});
  EXPECT_EQ(lines(27, 40), (Lines{"a 1 pause 25", "a 2 skip 35"}));
}

// A replay's run begins before it takes over; what the run before it had decided there is undone.
TEST_F(JournalLines, LeaveOutWhatANewerRunHasTakenAgain) {
  CommitBuilder start;
  start.start("a", 1, 0);
  start.journal("a", 1, 5, "skip").journal("a", 1, 8, "pause").journal("a", 1, 15, "resume");
  start.journal("a", 1, 20, "skip");
  commit(start);
  CommitBuilder replay;
  replay.start("a", 2, 11).journal("a", 2, 22, "skip");
  replay.journal("a", 2, 40, "replay", R"({"after":11})");
  commit(replay);
  EXPECT_EQ(lines(1, 50), (Lines{"a 1 skip 5", "a 1 pause 8", "a 2 skip 22", "a 2 replay 40"}));
  // The pause ended with its run.
  EXPECT_EQ(lines(12, 50), (Lines{"a 2 skip 22", "a 2 replay 40"}));
  EXPECT_EQ(lines(10, 30), (Lines{"a 1 pause 8", "a 2 skip 22", "a 2 replay 40"}))
      << "its run begins there";
  EXPECT_EQ(lines(13, 30), Lines{"a 2 skip 22"});
  CommitBuilder again;
  again.start("a", 3, 16).journal("a", 3, 60, "replay", R"({"after":16})");
  commit(again);
  EXPECT_EQ(lines(1, 70), (Lines{"a 1 skip 5", "a 1 pause 8", "a 2 replay 40", "a 3 replay 60"}));
}

TEST_F(JournalLines, LeaveOutTriggersThatAreNoMore) {
  CommitBuilder start;
  start.start("a", 1, 0).journal("a", 1, 5, "skip");
  commit(start);
  CommitBuilder removed;
  removed.remove("a");
  commit(removed);
  EXPECT_EQ(lines(1, 10), Lines{});
}

}  // namespace
}  // namespace hastur
