// POST /v1/commands/replay, as replays ask it.

#include "supervisor/http/replay_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

class ReplayApiTest : public testing::Test {
 protected:
  ReplayApiTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("replay_api_test-" + std::to_string(getpid()))),
        api_(*rig_.dispatcher, folder_ / "state.db") {
    std::filesystem::create_directories(folder_);
    rig_.desire({{"t", "match=a"}});
    rig_.send("a", 25);
  }
  ~ReplayApiTest() override { std::filesystem::remove_all(folder_); }

  // Every replay of t claims the same.
  HttpResponse ask(const std::string& replay, const std::string& step,
                   const std::string& file = {}) {
    const Json claim = {{"trigger", "t"}, {"replaces", 1U}, {"run", 2U}};
    HttpResponse response = api_.command(Json{
        {"step", step}, {"replay", replay}, {"file", file}, {"triggers", Json::array({claim})}});
    rig_.pump();
    return response;
  }
  // What a replay hands over: run 2, which counted to `n`.
  std::string file(const std::string& name, int n) {
    SqliteStoreOptions options;
    options.path = folder_ / name;
    const auto store = open_store(options);
    HASTUR_CHECK(store && (*store)->bind(rig_.history->stream()), "a file of a replay is made");
    const Sequence through = *rig_.dispatcher->held_through();
    RunStart start;
    start.run = rig_.store->load("t").value()->run;
    start.version = rig_.store->version(start.run.version).value();
    start.run.run = hastur::Run{2};
    start.run.after = Sequence{3};
    start.checkpoint.trigger = "t";
    start.checkpoint.run = hastur::Run{2};
    start.checkpoint.state_sequence = start.checkpoint.effects_sequence = Sequence{3};
    CommitBatch begins;
    begins.starts.push_back(start);
    HASTUR_CHECK((*store)->commit(begins), "the run begins");
    CommitBatch ends;
    Checkpoint end = start.checkpoint;
    end.state_sequence = end.effects_sequence = through;
    end.state = fmt::format(R"({{"n":{},"sum":0,"ticks":0}})", n);
    end.runtime = "{}";
    ends.checkpoints.push_back(end);
    HASTUR_CHECK((*store)->commit(ends), "and ends");
    return name;
  }

  std::filesystem::path folder_;
  Rig rig_;
  ReplayApi api_;
};

TEST_F(ReplayApiTest, TheSecondOfTwoReplaysIsToldThatItChangedNothing) {
  EXPECT_EQ(ask("first", "check").status, 200u);
  EXPECT_EQ(ask("second", "check").status, 200u);
  EXPECT_EQ(ask("first", "hold").status, 200u);
  const HttpResponse held = ask("second", "hold");
  EXPECT_EQ(held.status, 409u);
  EXPECT_NE(held.body.find("another replay is taking over"), std::string::npos) << held.body;
  EXPECT_EQ(ask("second", "abandon").status, 200u);
  EXPECT_TRUE(rig_.dispatcher->is_holding()) << "the first one's hold is not the second one's";
  ASSERT_EQ(ask("first", "hold").status, 200u);

  const std::string theirs = file("state.db.replay-2", 50);
  EXPECT_EQ(ask("second", "finish", theirs).status, 409u);
  const std::string ours = file("state.db.replay-1", 100);
  EXPECT_EQ(ask("first", "finish", ours).status, 200u);
  EXPECT_EQ(parse_json(ask("first", "finish", ours).body).value()["done"], true);
  const HttpResponse late = ask("second", "finish", theirs);
  EXPECT_EQ(late.status, 409u);
  EXPECT_NE(late.body.find("changed nothing"), std::string::npos) << late.body;
  EXPECT_EQ(ask("second", "hold").status, 409u) << "its run number is taken";
  EXPECT_EQ(rig_.stored_n("t"), 100u);
}

TEST_F(ReplayApiTest, AReplaySaysByWhichTokenItIsKnown) {
  EXPECT_EQ(ask("", "hold").status, 400u);
  EXPECT_FALSE(rig_.dispatcher->is_holding());
}

}  // namespace
}  // namespace hastur::test
