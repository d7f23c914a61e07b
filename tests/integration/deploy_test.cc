// git push with the real git, hooks and daemons.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/json.h"
#include "tests/integration/platform.h"
#include "tests/integration/waiting.h"
#include "tests/integration/work_tree.h"

namespace hastur {
namespace {

constexpr Micros soon = std::chrono::seconds{60};

constexpr const char* counting = R"(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "it.load" }, function(msg) ctx.state.n = ctx.state.n + 1 end)
)";

class Deploy : public testing::Test {
 protected:
  Deploy() { platform_.follow_repo(); }
  void start() {
    ASSERT_TRUE(platform_.start_syndicator());
    ASSERT_TRUE(platform_.start_supervisor());
  }
  Json source() {
    auto answer = platform_.get("/v1/source");
    return answer ? *std::move(answer) : Json::object();
  }
  bool takes(const std::string& commit) {
    return wait_until([&] { return source().value("taken", Json()) == Json(commit); }, soon);
  }
  bool runs(const std::string& name) { return platform_.get("/v1/triggers/" + name).has_value(); }

  Platform platform_;
};

TEST_F(Deploy, APushIsJudgedTakenAndToldAndABadOneChangesNothing) {
  start();
  ASSERT_FALSE(HasFailure());
  WorkTree tree(platform_.repo(), platform_.folder() / "work");
  ASSERT_TRUE(takes(tree.head())) << source();
  EXPECT_TRUE(runs("cpu_busy"));

  tree.save("counts.lua", counting);
  ASSERT_TRUE(tree.push("count")) << tree.said();
  EXPECT_TRUE(tree.says("ok    counts")) << tree.said();
  EXPECT_TRUE(tree.says("live at 20") && tree.says(", sequence ")) << tree.said();
  EXPECT_TRUE(runs("counts"));
  const std::string good = tree.head();

  tree.save("counts.lua", "local ctx = hastur.trigger{}\ncount = 1\n");
  tree.save("more.lua", counting);
  EXPECT_FALSE(tree.push("break it"));
  EXPECT_TRUE(tree.says("./counts.lua:2")) << tree.said();
  EXPECT_TRUE(tree.says("is refused: what runs stays")) << tree.said();
  tree.forget();
  EXPECT_EQ(tree.head(), good);
  EXPECT_FALSE(runs("more"));
  EXPECT_EQ(source()["taken"], good);

  EXPECT_FALSE(tree.git("push origin :main"));
  EXPECT_TRUE(tree.says("cannot be deleted")) << tree.said();
  // A branch beside it is nobody's business.
  tree.save("side.lua", "this is no Lua");
  EXPECT_TRUE(tree.commit("aside") && tree.git("push origin HEAD:side")) << tree.said();
  EXPECT_FALSE(runs("side"));
  tree.forget();

  // One trigger of a commit, then back to its file.
  tree.save("counts.lua", std::string(counting) + "-- otherwise\n");
  EXPECT_TRUE(tree.commit("aside") && tree.git("push -f origin HEAD:side")) << tree.said();
  const auto only = platform_.run_hastur("deploy --only counts side --why test");
  EXPECT_EQ(only.exit_code, 0) << only.error;
  EXPECT_NE(only.out.find("counts runs as of"), std::string::npos) << only.out;
  EXPECT_EQ(platform_.get("/v1/pins")->at("items").size(), 1u);
  EXPECT_NE(platform_.run_hastur("deploy --only counts nowhere").exit_code, 0);
  EXPECT_EQ(platform_.run_hastur("unpin counts").exit_code, 0);
  EXPECT_TRUE(wait_until(
      [&] { return platform_.get("/v1/deployments?trigger=counts")->at("items").size() == 3; },
      soon));
  const auto status = platform_.run_hastur("status");
  EXPECT_NE(status.out.find("follows          main of "), std::string::npos) << status.out;
  platform_.stop();
}

TEST_F(Deploy, WithoutASupervisorTheHookTestsAloneAndTheNextStartTakesThePush) {
  start();
  ASSERT_FALSE(HasFailure());
  WorkTree tree(platform_.repo(), platform_.folder() / "work");
  ASSERT_TRUE(takes(tree.head())) << source();
  platform_.supervisor().kill_9();
  tree.save("bad.lua", "count = 1");
  EXPECT_FALSE(tree.push("break it"));
  EXPECT_TRUE(tree.says("the tests are run here alone")) << tree.said();
  EXPECT_TRUE(tree.says("./bad.lua:1")) << tree.said();
  tree.forget();
  tree.save("counts.lua", counting);
  EXPECT_TRUE(tree.push("count")) << tree.said();
  EXPECT_TRUE(tree.says("is not live yet")) << tree.said();
  ASSERT_TRUE(platform_.start_supervisor());
  ASSERT_TRUE(takes(tree.head())) << source();
  EXPECT_TRUE(runs("counts") && runs("cpu_busy"));

  // The repository goes: what runs stays, also over a start.
  const auto away = platform_.folder() / "away.git";
  std::filesystem::rename(platform_.repo(), away);
  const auto has_trouble = [&] { return platform_.metric("hastur_source_trouble") == 1; };
  EXPECT_TRUE(wait_until(has_trouble, soon));
  std::filesystem::rename(away, platform_.repo());
  EXPECT_TRUE(wait_until([&] { return platform_.metric("hastur_source_trouble") == 0; }, soon));
  EXPECT_EQ(source()["trouble"], nullptr);
  EXPECT_TRUE(runs("counts"));
  platform_.stop();
}

}  // namespace
}  // namespace hastur
