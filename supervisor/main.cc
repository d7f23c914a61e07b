// supervisor: runs triggers on the syndicator's stream. Everything is in supervisor/supervisor.h;
// here is the command line. `supervisor replay` (supervisor/replay) runs History through triggers
// again, beside it; `supervisor export` writes it to a file.

#include <cstdio>

#include "core/clock.h"
#include "core/command_line.h"
#include "core/log.h"
#include "core/output.h"
#include "supervisor/check_command.h"
#include "supervisor/config.h"
#include "supervisor/replay/export_command.h"
#include "supervisor/replay/replay_command.h"
#include "supervisor/replay/replay_file.h"
#include "supervisor/supervisor.h"

namespace {

int run_program(int argc, char** argv) {
  hastur::SupervisorConfig config;
  hastur::Settings settings;
  config.declare(settings);
  hastur::CommandLine line(
      "supervisor",
      "Runs triggers on the stream of a syndicator, keeps their state, records what they ask for.");
  line.daemon(&settings, [&config] { return config.check(); });
  hastur::CommandLine& replay = line.command(
      "replay", "Runs History or a file through triggers again: to see, or to put right");
  hastur::CommandLine& exports =
      line.command("export", "Writes a stretch of History as JSON Lines, with the journal");
  hastur::CommandLine& check = line.command("check", "Says whether the state file is sound");
  std::string history;
  check.text("--history", &history, "whether its inputs are all in this folder's History, too");
  line.optional_command();
  hastur::ReplayOptions replay_options;
  replay.text("--trigger", &replay_options.trigger, "this trigger");
  replay.flag("--all", &replay_options.all, "all triggers");
  replay.text("--from", &replay_options.from,
              "where to begin: a time, a span before now (2h), a sequence, or a snapshot (s-12)");
  replay.text("--to", &replay_options.to,
              "where to end: the first time not taken, or the last sequence [the newest]");
  replay.text("--input", &replay_options.input,
              "a recording instead of History; - for standard input");
  replay.flag("--accept-loss", &replay_options.accept_loss, "go on where History has lost a range");
  replay.text("--into", &replay_options.into,
              "scratch: only shows what would come out; live: takes the triggers' place");
  replay.text("--notify", &replay_options.notify,
              "of a live replay: record its notifications, or keep what is open pending");
  replay.flag("--yes", &replay_options.yes, "do it: without, a live replay shows what it changes");
  hastur::ExportOptions export_options;
  exports.text("--from", &export_options.from,
               "where to begin: a time, a span before now (2h), or a sequence [the oldest]");
  exports.text("--to", &export_options.to,
               "where to end: the first time not taken, or the last sequence [the newest]");
  exports.list("--type", &export_options.types, "only messages of this type; may be given again");
  exports.list("--name", &export_options.names,
               "only messages of this name, * for anything; may be given again");
  exports.text("--output", &export_options.output, "a new file [standard output]");
  exports.flag("--no-journal", &export_options.no_journal,
               "leave out what was decided about triggers");
  exports.span("--time-max", &export_options.time_max, "end after so long, with what there is");
  if (const auto exit_code = line.parse(argc, argv)) return *exit_code;

  if (check.chosen()) return hastur::check_state_command(config.state, history);
  hastur::start_log("supervisor",
                    hastur::log_level_from_name(config.log).value_or(hastur::LogLevel::info));
  if (exports.chosen()) {
    export_options.state = config.state;
    export_options.request = config.request;
    hastur::SystemClock clock;
    return hastur::export_command(export_options, clock);
  }
  if (replay.chosen()) {
    replay_options.state = config.state;
    replay_options.request = config.request;
    replay_options.http = config.http;
    replay_options.token_file = config.token_file;
    replay_options.worker.callback_cpu_max = config.callback_cpu_max;
    replay_options.worker.cage_required = config.sandbox == "required";
    hastur::SystemClock clock;
    return hastur::replay_command(replay_options, clock);
  }
  hastur::remove_dead_replays(config.state);
  auto supervisor = hastur::Supervisor::make(config);
  if (!supervisor) {
    hastur::log_error("{}", supervisor.error().message);
    return 1;
  }
  (*supervisor)->read_config = [&line]() -> hastur::Result<hastur::SupervisorConfig> {
    hastur::SupervisorConfig fresh;
    hastur::Settings again;
    fresh.declare(again);
    HASTUR_TRY(line.read_again(again));
    HASTUR_TRY(fresh.check());
    return fresh;
  };
  return (*supervisor)->run();
}

}  // namespace

int main(int argc, char** argv) {
  hastur::expect_full_files();
  return hastur::end_output("supervisor", run_program(argc, argv));
}
