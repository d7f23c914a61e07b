// trigger-test: the author's tool and the gate before production. Here is the command line.

#include "core/command_line.h"
#include "core/log.h"
#include "trigger-test/check_command.h"
#include "trigger-test/run_command.h"

int main(int argc, char** argv) {
  hastur::CommandLine line(
      "trigger-test",
      "Proves triggers: loads them and runs their test files. Exit code 0: all "
      "good, 1: a trigger failed.");
  hastur::CheckCommand check;
  line.list("PATHS", &check.paths, "Scripts and folders of scripts; . if there are none");
  line.text("--format", &check.format, "text, json or junit");
  line.text("--filter", &check.filter,
            "Only triggers whose path holds this; if none does, only tests whose name does");
  line.number("--jobs", &check.jobs, "How many at once; 0: one for each processor");
  line.flag("--no-hunt", &check.no_hunt, "Only load the triggers and run their test files");
  line.number("--seed", &check.seed, "Chooses what the hunt feeds; the same gives the same");
  line.text(
      "--write-failing", &check.write_failing,
      "Write the fewest messages that show what the hunt found to this folder, as test files");
  hastur::RunCommand run;
  hastur::CommandLine& run_line = line.command("run",
                                               "Run one trigger on a recording and print what it "
                                               "does. Its name is its path from the nearest "
                                               "folder above it with a folder .hastur/, else with "
                                               "lib/ or .git. Exit code 1: a call failed.");
  run_line.required_text("TRIGGER", &run.trigger, "The script, NAME.lua");
  run_line.required_text("--input", &run.input, "A recording of messages; - is standard input");
  run_line.text("--format", &run.format, "json (one object a line) or text");
  line.optional_command();
  if (const auto exit_code = line.parse(argc, argv)) return *exit_code;

  hastur::start_log("trigger-test", hastur::LogLevel::warn);
  return static_cast<int>(run_line.chosen() ? hastur::run(run) : hastur::check(check));
}
