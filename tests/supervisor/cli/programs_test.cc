// The real `hastur`, with the programs that lie beside it: what it hands on, and its completion.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "supervisor/cli/handed_on.h"
#include "tests/supervisor/cli/fake_api.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;
using Words = std::set<std::string>;

struct Ran {
  int exit_code = -1;
  // Both outputs.
  std::string said;
};

Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = popen((command + " 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) return ran;
  char part[4096];
  for (std::size_t bytes = 0; (bytes = fread(part, 1, sizeof(part), pipe)) > 0;)
    ran.said.append(part, bytes);
  const int status = pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

// With its standard output on a full disk; what is said is what it told on standard error.
Ran run_into_the_void(const std::string& command) { return run("{ " + command + " >/dev/full; }"); }

// One rule for all of them, whatever was printed.
TEST(Programs, OutputThatCannotBeWrittenIsSaidOnceAndEndsWithThree) {
  for (const char* line :
       {"hastur --help", "hastur --version", "hastur send --help", "hastur init-repo --help",
        "hastur test --help", "syndicator --help", "syndicator --version", "supervisor --help",
        "supervisor export --help", "trigger-test --help", "trigger-worker --version"}) {
    const Ran ran = run_into_the_void(program_beside(line));
    EXPECT_EQ(ran.exit_code, 3) << line;
    const std::string_view program =
        std::string_view(line) == "hastur test --help"
            ? "trigger-test"
            : std::string_view(line).substr(0, std::string_view(line).find(' '));
    EXPECT_EQ(ran.said.find(fmt::format("{}: cannot write the output: ", program)), 0u) << ran.said;
    EXPECT_EQ(std::ranges::count(ran.said, '\n'), 1) << ran.said;
  }
}

TEST(Programs, AFailureWhoseOutputIsLostKeepsItsExitCode) {
  const Ran ran =
      run_into_the_void(program_beside("supervisor") + " --state /nowhere/state.db check");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.said, "supervisor: cannot write the output: No space left on device\n");
}

TEST(Programs, HostMetricsAreNotSentMoreOftenThanEachSecond) {
  for (const char* every : {"0s", "1us", "999ms"}) {
    const Ran ran = run(program_beside("hastur") + " host-metrics --every " + every);
    EXPECT_EQ(ran.exit_code, 2) << ran.said;
    EXPECT_EQ(ran.said, fmt::format("hastur: --every: takes at least 1s, not {}; see hastur "
                                    "host-metrics --help\n",
                                    every));
  }
}

// From the folder of the daemons' file, as `check`, `export` and `replay` do it.
TEST(Programs, TheSupervisorIsWhereTheFlagOrTheFileInThisFolderSays) {
  FakeApi api;
  api.answers("/v1/triggers", R"({"items":[],"next":null})");
  char folder[] = "/tmp/hastur-places-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string at = fmt::format("cd {} && {} ", folder, program_beside("hastur"));
  const auto file_says = [&](const std::string& text) {
    std::ofstream(fs::path(folder) / "hastur.toml") << text;
  };
  file_says(fmt::format("[supervisor]\nhttp = \"{}\"\n", api.address()));
  EXPECT_EQ(run(at + "list").exit_code, 0);
  EXPECT_EQ(run(at + "list --http 127.0.0.1:1").exit_code, 1);
  file_says("[supervisor\n");
  const Ran broken = run(at + "list");
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_EQ(broken.said.find("hastur: hastur.toml:1: "), 0u) << broken.said;
  EXPECT_EQ(run(at + "send gauge a 1").exit_code, 2);
  EXPECT_EQ(run(at + "list --http " + api.address()).exit_code, 0);
  EXPECT_EQ(run(at + "send gauge a 1 --to 127.0.0.1:9").exit_code, 0);
  EXPECT_EQ(run(at + "--version").exit_code, 0);
  fs::remove_all(folder);
}

// Ten seconds, after which other questions are given up: then it is seen that the supervisor works.
TEST(Programs, WhoeverGoesBackWaitsUntilThatIsDecided) {
  FakeApi api;
  api.answers("/v1/commands/rollback", R"({"id":"d-3","sequence":7,"changes":[]})");
  api.answers("/healthz", "{}");
  api.holds("/v1/commands/rollback", 1);
  const fs::path token = fs::path(testing::TempDir()) / "hastur_programs_token";
  std::ofstream(token) << "0123456789abcdef";
  const Ran ran = run(fmt::format("{} rollback t --http {} --token-file {}",
                                  program_beside("hastur"), api.address(), token.string()));
  EXPECT_EQ(ran.exit_code, 0) << ran.said;
  EXPECT_NE(ran.said.find("it is not decided yet"), std::string::npos) << ran.said;
  EXPECT_NE(ran.said.find("t is back at its version"), std::string::npos) << ran.said;
  fs::remove(token);
}

TEST(HandedOn, ArgumentsAndExitCodeAreThoseOfTheProgram) {
  const std::string hastur = program_beside("hastur");
  const Ran tested = run(hastur + " test --no-hunt /nowhere/at/all");
  EXPECT_EQ(tested.exit_code, 2);
  EXPECT_EQ(tested.said,
            "trigger-test: cannot read /nowhere/at/all: there is no such file or folder\n");
  const Ran made = run(hastur + " new x --like nothing");
  EXPECT_EQ(made.exit_code, 2);
  EXPECT_NE(made.said.find("threshold"), std::string::npos) << made.said;
}

TEST(HandedOn, EachCommandIsListedAndKnownToItsProgram) {
  const std::string help = run(program_beside("hastur") + " --help").said;
  for (const HandedOn& command : handed_on()) {
    EXPECT_NE(help.find(fmt::format("\n  {} ", command.name)), std::string::npos) << command.name;
    const Ran ran = run(fmt::format("{} {} --help", program_beside("hastur"), command.name));
    EXPECT_EQ(ran.exit_code, 0) << command.name;
    EXPECT_NE(ran.said.find(fmt::format("Usage: {}{}{}", command.program,
                                        command.is_command_there ? " " : "",
                                        command.is_command_there ? command.name : "")),
              std::string::npos)
        << ran.said;
  }
}

TEST(HandedOn, AProgramThatIsMissingIsSaidWithItsPlace) {
  char folder[] = "/tmp/hastur-alone-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  fs::copy_file(program_beside("hastur"), fs::path(folder) / "hastur");
  const Ran ran = run(fmt::format("{}/hastur test", folder));
  fs::remove_all(folder);
  EXPECT_EQ(ran.exit_code, 3);
  EXPECT_EQ(
      ran.said.find(fmt::format("hastur: cannot start {}/trigger-test: No such file", folder)), 0u)
      << ran.said;
}

// What `line --help` lists: its flags, or with `commands` its commands.
Words listed(const std::string& line, bool commands) {
  std::istringstream help(run(program_beside(line) + " --help").said);
  Words found;
  bool is_commands = false;
  for (std::string text; std::getline(help, text);) {
    if (text.starts_with("Subcommands")) is_commands = true;
    if (!text.starts_with("  ") || text.starts_with("   ") || is_commands != commands) continue;
    const std::string word = text.substr(2, text.find(' ', 2) - 2);
    const std::size_t flag = word.find("--");
    if (commands || flag != std::string::npos) found.insert(commands ? word : word.substr(flag));
  }
  return found;
}

// What bash offers after `line` for `word`.
Words offered(const std::string& line, const std::string& word) {
  const Ran ran = run(fmt::format(
      "bash -c 'source {} && COMP_WORDS=({} \"{}\") && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) && "
      "_hastur_complete && printf \"%s\\n\" \"${{COMPREPLY[@]}}\"'",
      HASTUR_COMPLETION, line, word));
  std::istringstream out(ran.said);
  Words found;
  for (std::string text; std::getline(out, text);) {
    if (!text.empty()) found.insert(text);
  }
  return found;
}

TEST(Completion, OffersEachCommandAndEachFlagAndNoOther) {
  const Words of_hastur = listed("hastur", true);
  EXPECT_GT(of_hastur.size(), 20u);
  EXPECT_EQ(offered("hastur", ""), of_hastur);
  EXPECT_EQ(offered("hastur", "-"), listed("hastur", false));
  for (const std::string& command : of_hastur) {
    const std::string line = "hastur " + command;
    EXPECT_EQ(offered(line, "--"), listed(line, false)) << line;
  }
  EXPECT_EQ(offered("trigger-test", "--"), listed("trigger-test", false));
  for (const std::string& command : listed("trigger-test", true)) {
    const std::string line = "trigger-test " + command;
    EXPECT_EQ(offered(line, "--"), listed(line, false)) << line;
    EXPECT_TRUE(offered("trigger-test", command).contains(command)) << line;
  }
}

// Flags that take a value are known by their help: "--format TEXT=text".
TEST(Completion, AfterAFlagThatStandsAloneOtherFlagsAreOffered) {
  Words seen;
  const auto check = [&](const std::string& line) {
    std::istringstream help(run(program_beside(line) + " --help").said);
    for (std::string text; std::getline(help, text);) {
      const std::size_t at = text.find("--");
      if (!text.starts_with("  ") || at > 6) continue;
      std::istringstream words(text.substr(at));
      std::string flag, next;
      words >> flag >> next;
      if (!seen.insert(flag).second) continue;
      const bool takes_value =
          next.starts_with("TEXT") || next.starts_with("NUMBER") || next.starts_with("SPAN");
      EXPECT_EQ(offered(line + " " + flag, "--").contains("--help"), !takes_value)
          << line << " " << flag;
    }
  };
  for (const std::string& command : listed("hastur", true)) check("hastur " + command);
}

TEST(Completion, OffersTheWordsThatAFlagTakes) {
  EXPECT_EQ(offered("trigger-test --format", ""), (Words{"json", "junit", "text"}));
  EXPECT_EQ(offered("hastur run --format", ""), (Words{"json", "text"}));
  EXPECT_TRUE(offered("hastur new --like", "").contains("threshold"));
  EXPECT_EQ(offered("hastur notify", "o"), (Words{"off", "on"}));
  EXPECT_TRUE(offered("hastur run --input", "/etc/pass").contains("/etc/passwd"));
  // The program may be called by its path.
  EXPECT_EQ(offered("build/release/bin/hastur", "unp"), Words{"unpin"});
}

}  // namespace
}  // namespace hastur
