// What a backtest asks, and what it says of the answers. In the places of trigger-test and of the
// exporter stand shell scripts.

#include "supervisor/deploy/backtest.h"

#include <gtest/gtest.h>

#include <algorithm>
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
    // Of each pair the new version says how many notifications are new. What comes is counted.
    program("trigger-test", R"sh(lines=$(wc -l)
cat "$2" > ")sh" + (folder_ / "pairs").string() +
                                R"sh("
sed 's/.*"new":"\([^"]*\)".*/\1/' "$2" | while read path; do
  new=$(cat "$path")
  if [ "$new" = broken ]; then
    echo "{\"new\":\"$path\",\"failed\":\"it does not load\"}"
    continue
  fi
  [ "$new" != 9 ] || helpers=',"helpers":{"@keyed.x":{"a":{}}}'
  echo "{\"new\":\"$path\",\"from\":1000000,\"to\":$((lines + 1))000000,\"messages\":$lines,\
\"last\":7,\"shown\":[\"+ a page\"]$helpers,\
\"notifications\":{\"appear\":$new,\"change\":1,\"same\":7}}"
done
)sh");
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
        Backtest::begin(loop_, options_, {folder_ / "commit", std::move(pairs), until_}, time_max,
                        [&](Backtest::Found given) { found = std::move(given); });
    SystemClock clock;
    const Micros began = clock.monotonic();
    while (!found && clock.monotonic() - began < std::chrono::seconds{60})
      loop_.run_some(std::chrono::milliseconds{10});
    EXPECT_TRUE(found) << "it did not end";
    return found.value_or(Backtest::Found{});
  }
  std::string text_of(const std::string& name) {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string asked() { return text_of("asked"); }

  Loop loop_;
  fs::path folder_;
  hastur::Sequence until_{7};
  Backtest::Options options_;
};

TEST_F(BacktestTest, SaysOfEachTriggerWhatIsOtherwiseAndOnHowMuch) {
  const auto found = run({pair("a.lua", "3"), pair("b/c.lua", "0")});
  EXPECT_FALSE(found.blocks);
  EXPECT_EQ(found.report,
            "backtest  a.lua                         2s of the last 10m, 2 messages: "
            "notifications 3 new, 1 other, 7 as before\n"
            "          + a page\n"
            "backtest  b/c.lua                       2s of the last 10m, 2 messages: "
            "notifications 1 other, 7 as before\n"
            "          + a page\n");
  EXPECT_TRUE(found.warm.empty());
  // One export for both, up to what is known; and one folder for like libraries.
  EXPECT_EQ(asked().substr(0, 42), "export --no-journal --from 10m --time-max ");
  EXPECT_NE(asked().find(" --to 7\n"), std::string::npos);
  EXPECT_EQ(std::ranges::count(asked(), '\n'), 1);
  EXPECT_EQ(text_of("pairs"),
            "{\"new\":\"./a.lua\",\"old\":\"0/a.lua\"}\n"
            "{\"new\":\"./b/c.lua\",\"old\":\"0/b/c.lua\"}\n");
  // Nothing of what runs is left lying.
  EXPECT_TRUE(fs::is_empty(folder_ / "gate"));
}

TEST_F(BacktestTest, BeforeTheFirstInputThereIsNothingToCompareOn) {
  until_ = {};
  const auto found = run({pair("a.lua", "3"), pair("b.lua", "3")});
  EXPECT_EQ(found.report,
            "backtest  2 triggers                    no input is known yet to run on\n");
  EXPECT_FALSE(found.blocks);
  EXPECT_EQ(asked(), "");
}

TEST_F(BacktestTest, AThousandTriggersAreOneComparison) {
  std::vector<Backtest::Pair> pairs;
  for (int i = 0; i < 1'000; ++i) {
    pairs.push_back(pair("n" + std::to_string(i) + ".lua", "0"));
    if (i % 2 == 0) pairs.back().before.clear();
  }
  const auto found = run(std::move(pairs));
  EXPECT_EQ(std::ranges::count(asked(), '\n'), 1);
  EXPECT_NE(found.report.find("backtest  n999.lua"), std::string::npos);
  EXPECT_NE(text_of("pairs").find("{\"new\":\"./n0.lua\",\"old\":null}\n"), std::string::npos);
  // The first of what is shown one by one; of the others the numbers stand there.
  std::size_t shown = 0;
  for (std::size_t at = 0; (at = found.report.find("+ a page", at)) != std::string::npos; ++at)
    ++shown;
  EXPECT_EQ(shown, 30u);
}

TEST_F(BacktestTest, NewHelpersAreHandedOnFromTheEndOfTheWindow) {
  const auto found = run({pair("a.lua", "9")});
  ASSERT_TRUE(found.warm.contains("a.lua")) << found.report;
  EXPECT_EQ(found.warm.at("a.lua").helpers, "{\"@keyed.x\":{\"a\":{}}}");
  EXPECT_EQ(found.warm.at("a.lua").last, hastur::Sequence{7});
  EXPECT_EQ(found.warm.at("a.lua").at, time_from_us(3'000'000));
  EXPECT_NE(found.report.find("begins with what @keyed.x remembers of it"), std::string::npos);
  // What it did not come to would be missing.
  until_ = {8};
  const auto part = run({pair("a.lua", "9")});
  EXPECT_TRUE(part.warm.empty());
  EXPECT_NE(part.report.find("begin empty: the backtest did not come to the end"),
            std::string::npos)
      << part.report;
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

TEST_F(BacktestTest, OneWhoseTimeWasOverIsJudgedByWhatItCameTo) {
  options_.new_notifications_max = 3;
  program("trigger-test",
          "echo \"$*\" > " + (folder_ / "flags").string() +
              "\necho '{\"new\":\"./a.lua\",\"from\":0,\"to\":3000000,\"messages\":40,"
              "\"last\":5,\"stopped\":true,\"unread\":true,\"notifications\":{\"appear\":4}}'\n");
  // Nobody reads what it writes.
  program("exporter", "yes | head -c 1000000\nexit 1\n");
  const auto found = run({pair("a.lua", "1")}, std::chrono::seconds{50});
  EXPECT_TRUE(found.blocks);
  EXPECT_TRUE(found.report.starts_with(
      "backtest  a.lua                         3s of the last 10m (its time was over), 40 "
      "messages: notifications 4 new\n"
      "FAIL  a.lua: 4 new notifications are more than"))
      << found.report;
  const std::string flags = text_of("flags");
  EXPECT_NE(flags.find("--time-max 39s"), std::string::npos) << flags;
  EXPECT_NE(flags.find(" --until 7\n"), std::string::npos) << flags;
}

TEST_F(BacktestTest, SaysWhyATriggerCouldNotBeCompared) {
  const auto broken = run({pair("a.lua", "broken"), pair("b.lua", "0")});
  EXPECT_FALSE(broken.blocks);
  EXPECT_TRUE(
      broken.report.starts_with("backtest  a.lua                         it does not load\n"
                                "backtest  b.lua  "))
      << broken.report;
  program("exporter", "echo a; echo 'supervisor export: History has a hole' >&2; exit 1\n");
  const auto holed = run({pair("a.lua", "0")});
  EXPECT_NE(
      holed.report.find("could not be read to its end: supervisor export: History has a hole"),
      std::string::npos)
      << holed.report;
  EXPECT_NE(holed.report.find("1 messages"), std::string::npos) << holed.report;

  program("trigger-test",
          "cat >/dev/null; echo '{\"new\":\"./a.lua\",\"from\":null,\"to\":null}'\n");
  const auto nobody = run({pair("a.lua", "1")});
  EXPECT_NE(nobody.report.find("History has a hole"), std::string::npos) << nobody.report;
  EXPECT_EQ(nobody.report.find("holds nothing"), std::string::npos) << nobody.report;
  program("exporter", "exit 0\n");
  EXPECT_NE(run({pair("a.lua", "1")}).report.find("History holds nothing"), std::string::npos);
  program("trigger-test", "cat >/dev/null; echo 'it broke'; exit 3\n");
  EXPECT_EQ(run({pair("a.lua", "1")}).report, "backtest  1 trigger                     it broke\n");
  options_.exporter = {"/nowhere/exporter"};
  EXPECT_NE(run({pair("a.lua", "1")}).report.find("cannot be started"), std::string::npos);
}

TEST_F(BacktestTest, WithoutTimeItSaysThatNothingWasCompared) {
  const auto found = run({pair("a.lua", "1"), pair("b.lua", "1")}, Micros{0});
  EXPECT_EQ(found.report, "backtest  2 triggers                    no time was left for it\n");
  EXPECT_EQ(asked(), "");
}

}  // namespace
}  // namespace hastur
