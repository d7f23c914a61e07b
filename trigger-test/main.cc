// trigger-test: the author's tool and the gate before production. Here is the command line.

#include "core/command_line.h"
#include "core/log.h"
#include "trigger-test/run_command.h"

int main(int argc, char** argv) {
  hastur::CommandLine line("trigger-test", "Tries triggers on recorded messages.");
  hastur::RunCommand run;
  hastur::CommandLine& run_line = line.command("run",
                                               "Run one trigger on a recording and print what it "
                                               "does. Its name is its path from the nearest "
                                               "folder above it with a folder .hastur/, else with "
                                               "lib/ or .git. Exit code 1: a call failed.");
  run_line.required_text("TRIGGER", &run.trigger, "The script, NAME.lua");
  run_line.required_text("--input", &run.input, "A recording of messages; - is standard input");
  run_line.text("--format", &run.format, "json (one object a line) or text");
  if (const auto exit_code = line.parse(argc, argv)) return *exit_code;

  hastur::start_log("trigger-test", hastur::LogLevel::warn);
  return static_cast<int>(hastur::run(run));
}
