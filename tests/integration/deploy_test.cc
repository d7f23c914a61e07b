// git push with the real git, hooks and daemons.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/json.h"
#include "tests/integration/load.h"
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

std::string totals(int factor) {
  return fmt::format(R"(
local ctx = hastur.trigger{{ state = {{ n = 0, sum = 0 }} }}
ctx:gauges({{ name = "it.load" }}, function(msg)
  local state = ctx.state
  state.n = state.n + 1
  state.sum = state.sum + {} * msg.value
  if state.n % 1000 == 0 then hastur.gauge("it.totals", state.sum) end
end)
)",
                     factor);
}

// Pages when it is so, of the number of gauges.
std::string pages(const std::string& when) {
  return fmt::format(R"(
local ctx = hastur.trigger{{ state = {{ n = 0 }} }}
ctx:gauges({{ name = "it.load" }}, function(msg)
  local n = ctx.state.n + 1
  ctx.state.n = n
  if {} then pager_duty("load-" .. n, "load") end
end)
)",
                     when);
}

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
  Json newest_of(const std::string& name) {
    const auto all = platform_.get("/v1/deployments?limit=1&trigger=" + name);
    return all && !all->at("items").empty() ? all->at("items")[0] : Json::object();
  }
  std::uint64_t run_of(const std::string& name) {
    const auto trigger = platform_.get("/v1/triggers/" + name);
    return trigger ? trigger->value("run", std::uint64_t{0}) : 0;
  }
  // The stored state is that of one pass of the present code over all of History.
  void expect_one_pass_of(const std::string& name) {
    ASSERT_TRUE(platform_.settle(name));
    const auto stored = platform_.get("/v1/triggers/" + name + "/state");
    ASSERT_TRUE(stored);
    const auto pass = platform_.run_supervisor(
        fmt::format("replay --trigger {} --from 1 --to {}", name, stored->at("sequence").dump()));
    ASSERT_EQ(pass.exit_code, 0) << pass.error;
    const std::size_t last = pass.out.rfind('\n', pass.out.size() - 2);
    const auto line = parse_json(pass.out.substr(last == std::string::npos ? 0 : last + 1));
    ASSERT_TRUE(line) << pass.out;
    EXPECT_EQ(line->at("state"), stored->at("state"));
    EXPECT_GT(line->at("state").at("n"), 0);
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

// What the gate says of a change is what History since shows, and too much of it is refused.
TEST_F(Deploy, APushThatWouldWakePeopleTooOftenIsRefused) {
  platform_.configure("", "gate_new_notifications_max = 3\n");
  start();
  ASSERT_FALSE(HasFailure());
  WorkTree tree(platform_.repo(), platform_.folder() / "work");
  ASSERT_TRUE(takes(tree.head())) << source();
  tree.save("pages.lua", pages("false"));
  ASSERT_TRUE(tree.push("silent")) << tree.said();
  EXPECT_TRUE(tree.says("backtest  1 trigger ") || tree.says("backtest  pages.lua")) << tree.said();
  Sender sender(platform_.udp_port());
  sender.send(2'000, is_sanitized ? 500 : 5'000);
  sender.finish();
  ASSERT_TRUE(platform_.settle("pages"));

  tree.save("pages.lua", pages("n % 10 == 0"));
  EXPECT_FALSE(tree.push("often"));
  EXPECT_TRUE(tree.says("new notifications are more than")) << tree.said();
  tree.forget();
  EXPECT_EQ(run_of("pages"), 1u);
  tree.save("pages.lua", pages("n == 1 or n == 100"));
  ASSERT_TRUE(tree.push("twice")) << tree.said();
  EXPECT_TRUE(tree.says("notifications 2 new")) << tree.said();
  EXPECT_TRUE(wait_until([&] { return run_of("pages") == 2; }, soon));
  platform_.stop();
}

// A rollback brings the code and the state of before, and History since runs through both while
// more comes; also when the supervisor dies over it.
TEST_F(Deploy, ARollbackRunsHistorySinceThroughTheCodeOfBefore) {
  start();
  ASSERT_FALSE(HasFailure());
  WorkTree tree(platform_.repo(), platform_.folder() / "work");
  ASSERT_TRUE(takes(tree.head())) << source();
  tree.save("totals.lua", totals(1));
  ASSERT_TRUE(tree.push("sum it up")) << tree.said();
  Sender sender(platform_.udp_port());
  sender.send(std::nullopt, is_sanitized ? 500 : 5'000);

  tree.save("totals.lua", totals(1'000));
  ASSERT_TRUE(tree.push("worse")) << tree.said();
  const std::uint64_t until = sender.sent() + (is_sanitized ? 500 : 5'000);
  ASSERT_TRUE(wait_until([&] { return sender.sent() > until && run_of("totals") == 2; }, soon));
  const auto back = platform_.run_hastur("rollback totals --why test");
  EXPECT_EQ(back.exit_code, 0) << back.error;
  EXPECT_NE(back.out.find("\ndone: "), std::string::npos) << back.out;
  EXPECT_EQ(newest_of("totals")["replay"], "done");
  // The good one, the bad one, the rollback, the replay.
  EXPECT_EQ(run_of("totals"), 4u);

  tree.save("totals.lua", totals(2'000));
  ASSERT_TRUE(tree.push("worse again")) << tree.said();
  ASSERT_TRUE(wait_until([&] { return run_of("totals") == 5; }, soon));
  const auto waits = platform_.begin_hastur({"rollback", "totals", "--why", "test"});
  ASSERT_TRUE(
      wait_until([&] { return newest_of("totals").value("replay", Json()).is_string(); }, soon));
  platform_.supervisor().kill_9();
  waits->kill_9();
  ASSERT_TRUE(platform_.start_supervisor());
  EXPECT_TRUE(wait_until([&] { return newest_of("totals")["replay"] == "done"; }, soon))
      << newest_of("totals");
  EXPECT_EQ(run_of("totals"), 7u);
  sender.stop();
  expect_one_pass_of("totals");

  // Without it, the state goes on from where it was.
  tree.save("totals.lua", totals(3'000));
  ASSERT_TRUE(tree.push("worse still")) << tree.said();
  ASSERT_TRUE(wait_until([&] { return run_of("totals") == 8; }, soon));
  const auto plain = platform_.run_hastur("rollback totals --no-replay");
  EXPECT_EQ(plain.exit_code, 0) << plain.error;
  EXPECT_EQ(newest_of("totals")["replay"], nullptr);
  platform_.stop();
}

}  // namespace
}  // namespace hastur
