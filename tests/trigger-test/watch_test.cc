// trigger-test --watch, as somebody in front of it sees it.

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <csignal>

#include "core/clock.h"
#include "core/fd.h"
#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

class TriggerTestWatch : public testing::TriggerTestCommand {
 protected:
  ~TriggerTestWatch() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  // Runs `trigger-test --watch ARGUMENTS` in the folder.
  void begin(const std::string& arguments) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const std::string command = fmt::format("cd {} && exec {} --watch {}", folder_.string(),
                                            testing::beside_us("trigger-test"), arguments);
    pid_ = fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    out_ = Fd(ends[0]);
    Fd theirs(ends[1]);
  }

  // As an editor does that is careful: the file is whole from its first moment.
  void save(const std::string& path, const std::string& text) {
    const std::filesystem::path aside = folder_.string() + ".aside";
    std::ofstream(aside) << text;
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::filesystem::rename(aside, folder_ / path);
  }

  // What it has said since, up to and with `end`.
  std::string said(const std::string& end = "(Ctrl-C ends)\n") {
    SystemClock clock;
    const Micros limit = clock.monotonic() + std::chrono::seconds{100};
    std::size_t at = 0;
    while ((at = heard_.find(end)) == std::string::npos) {
      pollfd readable{out_.get(), POLLIN, 0};
      if (clock.monotonic() > limit) break;
      if (poll(&readable, 1, 1000) <= 0) continue;
      char part[4096];
      const ssize_t bytes = read(out_.get(), part, sizeof part);
      if (bytes <= 0) break;
      heard_.append(part, static_cast<std::size_t>(bytes));
    }
    EXPECT_NE(at, std::string::npos) << "never said " << end << " but\n" << heard_;
    if (at == std::string::npos) return std::exchange(heard_, {});
    const std::string text = heard_.substr(0, at + end.size());
    heard_.erase(0, at + end.size());
    return text;
  }

  int ended_by_ctrl_c() {
    kill(pid_, SIGINT);
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  pid_t pid_ = -1;
  Fd out_;
  std::string heard_;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(TriggerTestWatch, ChecksAgainWhatASaveConcernsAndWhatFailed) {
  write("lib/limit.lua", "return { limit = 10 }");
  write("uses.lua", "local limit = require 'lib.limit' hastur.trigger{}");
  write("other.lua", "hastur.trigger{}");
  begin("--no-hunt");
  const std::string first = said();
  EXPECT_TRUE(holds(first, "ok    other")) << first;
  EXPECT_TRUE(holds(first, "watching 2 triggers: all good")) << first;
  EXPECT_FALSE(holds(first, "\033")) << "no screen is cleared where there is none";

  save("other.lua", "hastur.trigger{} total = 1");
  const std::string broken = said();
  EXPECT_TRUE(holds(broken, "changed: other.lua")) << broken;
  EXPECT_TRUE(holds(broken, "FAIL  other")) << broken;
  EXPECT_FALSE(holds(broken, "ok    uses")) << "that has nothing to do with it";
  EXPECT_TRUE(holds(broken, "watching 2 triggers: not all good")) << broken;

  save("lib/limit.lua", "return { limit = 11 }");
  const std::string library = said();
  EXPECT_TRUE(holds(library, "ok    uses")) << library;
  EXPECT_TRUE(holds(library, "FAIL  other")) << library;
  EXPECT_EQ(ended_by_ctrl_c(), 1);
}

TEST_F(TriggerTestWatch, FollowsFilesThatComeAndVanish) {
  write("only.lua", "oops");
  begin("--no-hunt");
  EXPECT_TRUE(holds(said(), "FAIL  only"));
  save("new/one.lua", "hastur.trigger{}");
  const std::string more = said();
  EXPECT_TRUE(holds(more, "ok    new/one")) << more;
  EXPECT_TRUE(holds(more, "watching 2 triggers: not all good")) << more;
  std::filesystem::remove(folder_ / "only.lua");
  EXPECT_TRUE(holds(said(), "watching 1 trigger: all good"));
  std::filesystem::remove_all(folder_ / "new");
  EXPECT_TRUE(holds(said(), "there are no triggers here"));
  save("new/two.lua", "hastur.trigger{}");
  EXPECT_TRUE(holds(said(), "ok    new/two"));
  EXPECT_EQ(ended_by_ctrl_c(), 0);
}

// Whoever reads the reports goes by the last one.
TEST_F(TriggerTestWatch, SaysAsJsonThatWhatFailedIsGone) {
  write("good.lua", "hastur.trigger{}");
  write("broken.lua", "oops");
  begin("--no-hunt --format json . 2>/dev/null");
  const auto report = [this] { return parse_json(said("\n")).value_or(Json::object()); };
  EXPECT_EQ(report().value("failed", -1), 1);
  std::filesystem::remove(folder_ / "broken.lua");
  const Json gone = report();
  EXPECT_EQ(gone.value("failed", -1), 0) << gone;
  EXPECT_EQ(gone.value("good", false), true) << gone;
  EXPECT_EQ(gone.value("triggers", Json()), Json::array());
  save("good.lua", "oops");
  EXPECT_EQ(report().value("failed", -1), 1);
  std::filesystem::remove(folder_ / "good.lua");
  EXPECT_EQ(report().value("failed", -1), 0) << "there are no triggers here";
}

// A recording that never comes to its end holds its check for ever.
TEST_F(TriggerTestWatch, ASaveBreaksOffTheRunUnderWay) {
  write("a.lua", "hastur.trigger{}");
  write("b.lua", "hastur.trigger{}");
  write("b.test.lua", "return { messages = { { recording = 'endless.jsonl' } } }");
  ASSERT_EQ(mkfifo((folder_ / "endless.jsonl").c_str(), 0600), 0);
  begin("--no-hunt");
  // Opens once the run under way does, and then gives it nothing.
  const Fd endless(open((folder_ / "endless.jsonl").c_str(), O_WRONLY | O_CLOEXEC));
  save("b.test.lua", "return { messages = {} }");
  const std::string answer = said();
  EXPECT_TRUE(holds(answer, "changed: b.test.lua")) << answer;
  EXPECT_TRUE(holds(answer, "ok    b ")) << answer;
  EXPECT_TRUE(holds(answer, "watching 2 triggers: all good")) << answer;
  save("b.test.lua", "return { messages = { { recording = 'endless.jsonl' } } }");
  const Fd again(open((folder_ / "endless.jsonl").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(ended_by_ctrl_c(), 0) << "that of the last verdict";
}

TEST_F(TriggerTestWatch, SeesRecordingsWhereverTheyLie) {
  const char* trigger =
      "local ctx = hastur.trigger{}\n"
      "ctx:gauges({ name = 'g' }, function(msg) if msg.value > 5 then pager_duty('k', 't') end "
      "end)";
  const auto test = [](const std::string& recording) {
    return "return { messages = { { recording = '" + recording +
           "' } }, expect = { { page = 'k' } } }";
  };
  const auto recording = [](int value) {
    return fmt::format(
        "{{\"type\":\"gauge\",\"name\":\"g\",\"value\":{},\"timestamp\":1704067200500000}}\n",
        value);
  };
  write("out/r.jsonl", recording(6));
  write("elsewhere/s.jsonl", recording(6));
  std::filesystem::create_directories(folder_ / "r/data");
  std::filesystem::create_directory_symlink("../../elsewhere", folder_ / "r/data/link");
  write("r/data/t.jsonl", recording(6));
  write("r/a.lua", trigger);
  write("r/b.lua", trigger);
  write("r/c.lua", trigger);
  write("r/a.test.lua", test("../out/r.jsonl"));
  write("r/b.test.lua", test("data/link/s.jsonl"));
  write("r/c.test.lua", test("data/t.jsonl"));
  begin("--no-hunt r/a.lua r/b.lua r/c.lua");
  EXPECT_TRUE(holds(said(), "3 triggers: all good"));
  for (const auto& [file, fails] :
       {std::pair("out/r.jsonl", "FAIL  r/a"), std::pair("elsewhere/s.jsonl", "FAIL  r/b"),
        std::pair("r/data/t.jsonl", "FAIL  r/c")}) {
    save(file, recording(4));
    const std::string bad = said();
    EXPECT_TRUE(holds(bad, fails)) << bad;
    save(file, recording(6));
    const std::string good = said();
    EXPECT_TRUE(holds(good, "all good")) << good;
  }
}

TEST_F(TriggerTestWatch, ToToolsItWritesOneReportALine) {
  write("t.lua", "hastur.trigger{}");
  begin("--no-hunt --format json t.lua");
  Result<Json> report = parse_json(said("\n"));
  ASSERT_TRUE(report);
  EXPECT_EQ((*report)["good"], true);
  save("t.lua", "oops");
  report = parse_json(said("\n"));
  ASSERT_TRUE(report);
  EXPECT_EQ((*report)["good"], false);
  EXPECT_EQ(ended_by_ctrl_c(), 1);
}

TEST_F(TriggerTestWatch, WrongUsageEndsIt) {
  run("--watch nowhere");
  EXPECT_EQ(exit_code_, 2);
  run("--watch --format junit");
  EXPECT_EQ(exit_code_, 2);
}

}  // namespace
}  // namespace hastur
