#include "core/command_line.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace hastur {
namespace {

// What a program that was called with these arguments printed and ended with; no code if it would
// go on.
struct Outcome {
  std::optional<int> code;
  std::string out;
  std::string err;
};

Outcome parse(CommandLine& line, std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "program");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = line.parse(static_cast<int>(arguments.size()), arguments.data());
  fflush(stdout);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

class Daemon : public testing::Test {
 protected:
  Daemon() {
    Section& section = settings_.section("syndicator");
    section.text("udp", &udp_, "where datagrams arrive");
    section.number("ring_max", &ring_max_, "messages kept");
    section.list("core", &core_, "Hastur cores", false);
    settings_.section("zebra").text("udp", &other_udp_, "another of the same name");
    line_.daemon(&settings_, [this]() -> Result<void> {
      if (udp_ == "bad") return fail(ErrorCode::invalid, "udp cannot be bad");
      return {};
    });
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".toml");
  }
  ~Daemon() override { std::filesystem::remove(path_); }

  void write(const std::string& text) { std::ofstream(path_) << text; }

  std::string udp_ = "127.0.0.1:8125";
  std::uint64_t ring_max_ = 10;
  std::vector<std::string> core_;
  std::string other_udp_;
  Settings settings_;
  CommandLine line_{"syndicator", "Numbers messages."};
  std::string path_;
};

TEST_F(Daemon, FlagsOverrideTheFileAndTheFileOverridesDefaults) {
  write("[syndicator]\nudp = \"file\"\nring_max = 7\n");
  const auto outcome = parse(line_, {"--udp", "flag", "--config", path_.c_str(), "--zebra-udp=x"});
  EXPECT_EQ(outcome.code, std::nullopt) << outcome.err;
  EXPECT_EQ(udp_, "flag");
  EXPECT_EQ(ring_max_, 7u);
  EXPECT_EQ(other_udp_, "x");
  EXPECT_EQ(line_.config_path(), path_);
}

TEST_F(Daemon, ReadsFileAndFlagsAgain) {
  write("[syndicator]\nring_max = 7\n");
  ASSERT_EQ(parse(line_, {"--udp", "flag", "--config", path_.c_str()}).code, std::nullopt);
  write("[syndicator]\nudp = \"file\"\nring_max = 8\n");
  std::string udp;
  std::uint64_t ring_max = 0;
  std::vector<std::string> core;
  Settings fresh;
  fresh.section("syndicator").text("udp", &udp, "");
  fresh.section("syndicator").number("ring_max", &ring_max, "");
  fresh.section("syndicator").list("core", &core, "");
  ASSERT_TRUE(line_.read_again(fresh));
  EXPECT_EQ(udp, "flag");
  EXPECT_EQ(ring_max, 8u);
  EXPECT_EQ(ring_max_, 7u);
}

TEST_F(Daemon, ChecksItsConfiguration) {
  write("[syndicator]\nring_max = 7\n");
  auto outcome = parse(line_, {"--check-config", "--config", path_.c_str()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, path_ + " is in order\n");
}

TEST_F(Daemon, RefusesAFileThatIsWrong) {
  write("[syndicator]\nring_min = 7\n");
  const auto outcome = parse(line_, {"--check-config", "--config", path_.c_str()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err,
            "syndicator: " + path_ +
                ":2: unknown key \"ring_min\" in [syndicator]; did you mean \"ring_max\"?\n");
}

TEST_F(Daemon, RefusesValuesThatTheProgramRefuses) {
  const auto outcome = parse(line_, {"--udp", "bad"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "syndicator: udp cannot be bad\n");
}

TEST_F(Daemon, RefusesWrongUsageInOneSentence) {
  EXPECT_EQ(parse(line_, {"--upd", "x"}).err,
            "syndicator: unknown flag \"--upd\"; did you mean \"--udp\"?; see syndicator --help\n");
  EXPECT_EQ(parse(line_, {"--ring-max", "many"}).err,
            "syndicator: --ring-max takes a whole number from 0 up, not \"many\"\n");
  EXPECT_EQ(parse(line_, {"--core", "x"}).code, 2) << "a key without a flag";
  const auto missing = parse(line_, {"--udp"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_NE(missing.err.find("--udp"), std::string::npos) << missing.err;
  EXPECT_EQ(parse(line_, {"--config", "/nonexistent.toml"}).err,
            "syndicator: cannot read /nonexistent.toml: No such file or directory\n");
}

TEST_F(Daemon, HelpNamesEveryFlagWithItsDefault) {
  const auto outcome = parse(line_, {"--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* part :
       {"--udp", "127.0.0.1:8125", "--ring-max", "10", "--config", "--check-config", "--version"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " in\n" << outcome.out;
  }
  EXPECT_EQ(outcome.out.find("--core"), std::string::npos);
}

struct Tool {
  std::string type, name, value, to = "127.0.0.1:8125";
  std::vector<std::string> labels;
  bool wanted = false;
  Micros wait{5};
  std::uint64_t count = 3;
  CommandLine line{"hastur", "The one command."};
  CommandLine* send = nullptr;
  CommandLine* list = nullptr;
  Tool() {
    send = &line.command("send", "Sends a message.");
    send->required_text("TYPE", &type, "what it is");
    send->text("NAME", &name, "its name");
    send->text("VALUE", &value, "its value");
    send->text("--to", &to, "where");
    send->list("--label", &labels, "a label");
    list = &line.command("list", "Lists triggers.");
    list->flag("--wanted", &wanted, "only those");
    list->span("--wait", &wait, "how long", std::chrono::milliseconds{1});
    list->number("--count", &count, "how many");
  }
};

TEST(CommandLine, ReadsACommandWithFlagsAndOperands) {
  Tool tool;
  const auto outcome =
      parse(tool.line, {"send", "--label", "a=b", "gauge", "--label", "c=d", "x.y", "-5.5"});
  EXPECT_EQ(outcome.code, std::nullopt) << outcome.err;
  EXPECT_TRUE(tool.send->chosen());
  EXPECT_FALSE(tool.list->chosen());
  EXPECT_EQ(tool.type, "gauge");
  EXPECT_EQ(tool.name, "x.y");
  EXPECT_EQ(tool.value, "-5.5");
  EXPECT_EQ(tool.labels, (std::vector<std::string>{"a=b", "c=d"}));
  EXPECT_EQ(tool.to, "127.0.0.1:8125");
}

TEST(CommandLine, TakesADashAloneAsAnOperand) {
  Tool tool;
  EXPECT_EQ(parse(tool.line, {"send", "-"}).code, std::nullopt);
  EXPECT_EQ(tool.type, "-");
}

TEST(CommandLine, ReadsFlagsOfEachKind) {
  Tool tool;
  EXPECT_EQ(parse(tool.line, {"list", "--wanted", "--wait", "2m", "--count=4"}).code, std::nullopt);
  EXPECT_TRUE(tool.wanted);
  EXPECT_EQ(tool.wait, std::chrono::minutes{2});
  EXPECT_EQ(tool.count, 4u);
}

TEST(CommandLine, RefusesWrongUsageInOneSentence) {
  const auto refusal = [](std::vector<const char*> arguments) {
    Tool tool;
    const auto outcome = parse(tool.line, std::move(arguments));
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_EQ(refusal({"lsit"}),
            "hastur: unexpected argument \"lsit\"; did you mean \"list\"?; see hastur --help\n");
  EXPECT_EQ(refusal({}), "hastur: a command is required; see hastur --help\n");
  EXPECT_EQ(refusal({"send"}), "hastur: TYPE is required; see hastur send --help\n");
  EXPECT_EQ(
      refusal({"list", "--wnated"}),
      "hastur: unknown flag \"--wnated\"; did you mean \"--wanted\"?; see hastur list --help\n");
  EXPECT_EQ(
      refusal({"list", "--count", "-1"}),
      "hastur: --count: takes a whole number from 0 up, not \"-1\"; see hastur list --help\n");
  EXPECT_EQ(refusal({"list", "--wait", "5"}).rfind("hastur: --wait: ", 0), 0u);
  EXPECT_EQ(refusal({"list", "--wait", "0s"}),
            "hastur: --wait: takes at least 1ms, not 0s; see hastur list --help\n");
}

// What stands beside it is meant for something, and would be passed over.
TEST(CommandLine, ACommandThatStandsAloneTakesNothingOfTheProgram) {
  const auto refusal = [](std::vector<const char*> arguments) {
    CommandLine line("program", "Does things.");
    std::vector<std::string> paths;
    bool hunt = false;
    line.list("PATHS", &paths, "paths");
    line.flag("--no-hunt", &hunt, "does less");
    std::string input;
    std::string script;
    CommandLine& run = line.command("run", "Runs.");
    run.required_text("SCRIPT", &script, "a script");
    run.text("--input", &input, "a file");
    line.optional_command();
    line.commands_stand_alone();
    const Outcome outcome = parse(line, arguments);
    EXPECT_EQ(outcome.code.value_or(0), outcome.err.empty() ? 0 : 2);
    return outcome.err.substr(0, outcome.err.find(';'));
  };
  EXPECT_EQ(refusal({"a", "b", "--no-hunt"}), "");
  EXPECT_EQ(refusal({"run", "a", "--input", "x"}), "");
  EXPECT_EQ(refusal({"run", "a", "b"}), "program: unexpected argument \"b\"");
  EXPECT_EQ(refusal({"run", "a", "--no-hunt"}), "program: unknown flag \"--no-hunt\"");
  EXPECT_EQ(refusal({"run", "a", "--inptu", "x"}), "program: unknown flag \"--inptu\"");
  EXPECT_EQ(refusal({"b", "run", "a"}), "program: unexpected argument \"b\" before \"run\"");
  EXPECT_EQ(refusal({"--no-hunt", "run", "a"}),
            "program: unexpected flag \"--no-hunt\" before \"run\"");
}

TEST(CommandLine, PrintsItsVersion) {
  Tool tool;
  const auto outcome = parse(tool.line, {"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, version_line("hastur") + "\n");
}

TEST(CommandLine, HelpOfACommandNamesItsFlags) {
  Tool tool;
  const auto outcome = parse(tool.line, {"send", "--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("--label"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("--wanted"), std::string::npos);
}

}  // namespace
}  // namespace hastur
