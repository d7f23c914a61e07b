// What a backtest asks, and what it says of the answers. In the places of trigger-test and of the
// exporter stand shell scripts.

#include "supervisor/deploy/backtest.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace hastur {
namespace {

namespace fs = std::filesystem;

class BacktestTest : public ::testing::Test {
 protected:
  BacktestTest() {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = fs::path(testing::TempDir()) / ("hastur_backtest_" + test);
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "commit");
    // Each line that comes is a second; the new version says how many notifications are new.
    program("trigger-test",
            "lines=$(wc -l)\n"
            "new=$(cat \"$3\")\n"
            "[ \"$new\" != broken ] || { echo 'it does not load'; exit 1; }\n"
            "echo '{\"difference\":\"appears\"}'\n"
            "echo \"{\\\"from\\\":1000000,\\\"to\\\":$((lines + 1))000000,\\\"messages\\\":$lines,"
            "\\\"notifications\\\":{\\\"appear\\\":$new,\\\"change\\\":1,\\\"same\\\":7}}\"\n");
    program("exporter", "echo \"$*\" >> " + (folder_ / "asked").string() + "\necho a; echo b\n");
    options_.trigger_test = folder_ / "trigger-test";
    options_.exporter = {folder_ / "exporter", "export"};
    options_.folder = folder_ / "gate";
  }
  ~BacktestTest() override { fs::remove_all(folder_); }

  void program(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << "#!/bin/sh\n" << text;
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }
  Backtest::Pair pair(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / "commit" / path).parent_path());
    std::ofstream(folder_ / "commit" / path) << text;
    return {path, {{path, "before"}, {"lib/x.lua", "return 1"}}};
  }
  Backtest::Found run(std::vector<Backtest::Pair> pairs,
                      Micros time_max = std::chrono::seconds{60}) {
    std::optional<Backtest::Found> found;
    const auto backtest =
        Backtest::begin(loop_, options_, folder_ / "commit", std::move(pairs), time_max,
                        [&](Backtest::Found given) { found = std::move(given); });
    SystemClock clock;
    const Micros began = clock.monotonic();
    while (!found && clock.monotonic() - began < std::chrono::seconds{60})
      loop_.run_some(std::chrono::milliseconds{10});
    EXPECT_TRUE(found) << "it did not end";
    return found.value_or(Backtest::Found{});
  }
  std::string asked() {
    std::ifstream file(folder_ / "asked");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Loop loop_;
  fs::path folder_;
  Backtest::Options options_;
};

TEST_F(BacktestTest, SaysOfEachTriggerWhatIsOtherwiseAndOnHowMuch) {
  const auto found = run({pair("a.lua", "3"), pair("b/c.lua", "0")});
  EXPECT_FALSE(found.blocks);
  EXPECT_EQ(found.report,
            "backtest  a.lua                         2s of the last 10m, 2 messages: "
            "notifications 3 new, 1 other, 7 as before\n"
            "backtest  b/c.lua                       2s of the last 10m, 2 messages: "
            "notifications 1 other, 7 as before\n");
  EXPECT_EQ(asked().substr(0, 42), "export --no-journal --from 10m --time-max ");
  // Nothing of what runs is left lying.
  EXPECT_TRUE(fs::is_empty(folder_ / "gate"));
}

TEST_F(BacktestTest, TooManyNewNotificationsBlock) {
  options_.new_notifications_max = 3;
  EXPECT_FALSE(run({pair("a.lua", "3")}).blocks);
  const auto found = run({pair("a.lua", "4"), pair("b.lua", "0")});
  EXPECT_TRUE(found.blocks);
  EXPECT_NE(found.report.find("FAIL  a.lua: 4 new notifications are more than"), std::string::npos)
      << found.report;
  EXPECT_NE(found.report.find("\nbacktest  b.lua"), std::string::npos) << found.report;
}

TEST_F(BacktestTest, SaysWhyATriggerCouldNotBeCompared) {
  const auto broken = run({pair("a.lua", "broken")});
  EXPECT_FALSE(broken.blocks);
  EXPECT_EQ(broken.report, "backtest  a.lua                         it does not load\n");
  program("trigger-test", "cat >/dev/null; echo '{\"from\":null,\"to\":null}'\n");
  EXPECT_NE(run({pair("a.lua", "1")}).report.find("History holds nothing"), std::string::npos);
  options_.exporter = {"/nowhere/exporter"};
  EXPECT_NE(run({pair("a.lua", "1")}).report.find("cannot be started"), std::string::npos);
}

TEST_F(BacktestTest, WithoutTimeItSaysThatNothingWasCompared) {
  const auto found = run({pair("a.lua", "1"), pair("b.lua", "1")}, Micros{0});
  EXPECT_EQ(found.report, "backtest: no time was left for 2 of 2 triggers\n");
  EXPECT_EQ(asked(), "");
}

}  // namespace
}  // namespace hastur
