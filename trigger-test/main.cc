// trigger-test: the author's tool and the gate before production. Here is the command line.

#include <iostream>

#include "core/command_line.h"
#include "core/log.h"
#include "core/output.h"
#include "trigger-test/backtest_command.h"
#include "trigger-test/check_command.h"
#include "trigger-test/diff_command.h"
#include "trigger-test/exit_code.h"
#include "trigger-test/explain_command.h"
#include "trigger-test/new_command.h"
#include "trigger-test/pre_receive_command.h"
#include "trigger-test/run_command.h"
#include "trigger-test/trace_command.h"
#include "trigger-test/watch_command.h"

namespace {

int run_program(int argc, char** argv) {
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
  line.flag("--coverage", &check.coverage,
            "Say which lines the tests run, and what a trigger costs");
  line.number("--coverage-min", &check.coverage_min,
              "Fail triggers of whose lines the tests run less than so many percent");
  line.flag("--no-hunt", &check.no_hunt, "Only load the triggers and run their test files");
  line.number("--seed", &check.seed, "Chooses what the hunt feeds; the same gives the same");
  line.text(
      "--write-failing", &check.write_failing,
      "Write the fewest messages that show what the hunt found to this folder, as test files");
  line.flag("--watch", &check.watch,
            "Go on until Ctrl-C: check again what is saved, and what failed before");
  line.span("--time-max", &check.time_max,
            "Fail what is not done then, and end; 0s: no limit, and 1m with --pre-receive");
  bool is_hook = false;
  hastur::PreReceiveCommand push;
  line.flag("--pre-receive", &is_hook,
            "Be a git hook: check what a push changes, of the lines that git gives");
  line.text("--branch", &push.branch, "With --pre-receive: only what is pushed to this branch");
  hastur::RunCommand run;
  hastur::CommandLine& run_line = line.command("run",
                                               "Run one trigger on a recording and print what it "
                                               "does. Its name is its path from the nearest "
                                               "folder above it with a folder .hastur/, else with "
                                               "lib/ or .git. Exit code 1: a call failed.");
  run_line.required_text("TRIGGER", &run.trigger, "The script, NAME.lua");
  run_line.required_text("--input", &run.input, "A recording of messages; - is standard input");
  run_line.text("--format", &run.format, "json (one object a line) or text");
  hastur::TraceCommand trace;
  hastur::CommandLine& trace_line = line.command(
      "trace", "The same as run, with each input of the trigger and what it changed in the state.");
  trace_line.required_text("TRIGGER", &trace.trigger, "The script, NAME.lua");
  trace_line.required_text("--input", &trace.input, "A recording of messages; - is standard input");
  trace_line.text("--format", &trace.format, "json (one object a line) or text");
  hastur::DiffCommand diff;
  hastur::CommandLine& diff_line =
      line.command("diff",
                   "Run two versions of a trigger on one recording: notifications and statistics "
                   "that appear, vanish, change or move.");
  diff_line.required_text("OLD", &diff.old_path, "The script as it was");
  diff_line.required_text("NEW", &diff.new_path, "The script as it is to be");
  diff_line.required_text("--input", &diff.input, "A recording of messages; - is standard input");
  diff_line.text("--format", &diff.format, "text, or json (one object a line)");
  hastur::BacktestCommand backtest;
  hastur::CommandLine& backtest_line = line.command(
      "backtest",
      "What the gate asks: many pairs of versions on one recording. A JSON object for each.");
  backtest_line.required_text("PAIRS", &backtest.pairs,
                              "A file of lines {\"old\":PATH or null,\"new\":PATH}");
  backtest_line.required_text("--input", &backtest.input,
                              "A recording of messages; - is standard input");
  backtest_line.span("--time-max", &backtest.time_max,
                     "Stop what is not done by then; each pair has its share");
  backtest_line.number("--until", &backtest.until, "The recorded number of the last input");
  hastur::NewCommand make;
  hastur::CommandLine& new_line =
      line.command("new", "Write a trigger and its test file, to begin with.");
  new_line.required_text("NAME", &make.path, "Its path: billing/load makes billing/load.lua");
  new_line.text("--like", &make.like, "threshold, heartbeat, ratio, predict, correlate or digest");
  hastur::ExplainCommand explain;
  hastur::CommandLine& explain_line = line.command(
      "explain",
      "Tell why a trigger did what it did around a moment of a recording: what its "
      "filters said, the lines that ran, what changed, and why an alert stayed quiet.");
  explain_line.required_text("TRIGGER", &explain.trigger, "The script, NAME.lua");
  explain_line.required_text("--input", &explain.input,
                             "A recording of messages; - is standard input");
  explain_line.required_text("--at", &explain.at,
                             "2024-01-01T00:05:00Z, or 5m: so long after the first input");
  explain_line.text("--key", &explain.key,
                    "Only what has to do with it: an incident key, a host, a label");
  explain_line.span("--around", &explain.around, "Inputs from so long before to so long after");
  explain_line.text("--format", &explain.format, "text or json");
  line.optional_command();
  line.commands_stand_alone();
  if (const auto exit_code = line.parse(argc, argv)) return *exit_code;

  hastur::start_log("trigger-test", hastur::LogLevel::warn);
  if (run_line.chosen()) return static_cast<int>(hastur::run(run));
  if (trace_line.chosen()) return static_cast<int>(hastur::trace(trace));
  if (diff_line.chosen()) return static_cast<int>(hastur::diff(diff));
  if (backtest_line.chosen()) return static_cast<int>(hastur::backtest(backtest));
  if (new_line.chosen()) return static_cast<int>(hastur::make_new(make));
  if (explain_line.chosen()) return static_cast<int>(hastur::explain(explain));
  if (!is_hook && !push.branch.empty())
    return static_cast<int>(
        hastur::stop(hastur::ExitCode::usage, "--branch goes with --pre-receive"));
  if (is_hook && (check.watch || !check.paths.empty())) {
    return static_cast<int>(
        hastur::stop(hastur::ExitCode::usage,
                     "--pre-receive checks what a push changes: it takes no PATHS and no --watch"));
  }
  if (is_hook) {
    push.check = check;
    if (check.time_max <= hastur::Micros{0}) push.check.time_max = std::chrono::minutes{1};
    return static_cast<int>(hastur::pre_receive(push, std::cin));
  }
  return static_cast<int>(check.watch ? hastur::watch(check) : hastur::check(check));
}

}  // namespace

int main(int argc, char** argv) {
  hastur::expect_full_files();
  return hastur::end_output("trigger-test", run_program(argc, argv));
}
