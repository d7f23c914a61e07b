// syndicator: receives messages, gives them their place in the stream, keeps and publishes it.

#include <csignal>
#include <fstream>
#include <string>

#include "core/clock.h"
#include "core/command_line.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/output.h"
#include "state/history/sqlite_history.h"
#include "syndicator/check_command.h"
#include "syndicator/client/zmq.h"
#include "syndicator/clock_standing.h"
#include "syndicator/daemon.h"
#include "syndicator/import_command.h"
#include "syndicator/options.h"
#include "syndicator/stream_clock.h"

namespace hastur {
namespace {

// How far the machine's clock must stand behind the stream for that to be told.
constexpr Micros ahead_told = std::chrono::seconds{2};

// Empty where there is none; History then takes every start for one after a power loss.
std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

SqliteHistoryOptions history_options(const SyndicatorOptions& options) {
  SqliteHistoryOptions made;
  made.directory = options.history;
  made.durability = options.durability == "synced" ? Durability::synced : Durability::standard;
  made.keep_for = options.keep_for;
  made.keep_bytes = options.keep_bytes;
  made.boot_id = boot_id();
  return made;
}

// What can change while it runs; the rest is said to wait for a restart.
void reload(const CommandLine& line, const SyndicatorOptions& running) {
  SyndicatorOptions fresh;
  Settings settings;
  fresh.declare(settings);
  if (const auto read = line.read_again(settings); !read) {
    log_error("SIGHUP: nothing changes: {}", read.error().message);
    return;
  }
  if (const auto checked = fresh.check(); !checked) {
    log_error("SIGHUP: nothing changes: {}", checked.error().message);
    return;
  }
  set_log_level(fresh.log_level());
  fresh.log = running.log;
  if (fresh == running) {
    log_info("SIGHUP: the log level is reloaded");
  } else {
    log_warn("SIGHUP: the log level is reloaded; everything else that changed waits for a restart");
  }
}

int run(const CommandLine& line, const SyndicatorOptions& options) {
  const auto refuse = [](const Error& error) {
    log_error("cannot start: {}", error.message);
    return 1;
  };
  auto history = open_history(history_options(options));
  if (!history) return refuse(history.error());
  SystemClock system_clock;
  StreamClock stream_clock(system_clock, (*history)->received_at());
  if (stream_clock.ahead() >= ahead_told) {
    log_warn(
        "the clock of this machine stands {} behind the newest message of the stream: time goes on "
        "from there, and a hundredth slower until they meet. What senders give a time by their own "
        "clocks counts as late meanwhile",
        format_span(std::chrono::floor<std::chrono::seconds>(stream_clock.ahead())));
  }
  SharedClock clock(stream_clock);
  Loop loop;
  ClockStanding standing(stream_clock.ahead() >= ahead_told);
  const auto looks = loop.every(std::chrono::seconds{1}, [&] {
    // One that is made now reads the machine's clock as it stands.
    if (const auto said = standing.look(clock.now(), SystemClock().now())) log_warn("{}", *said);
  });
  // Before anything is promised: a stop that comes early is a clean one too.
  const auto signals = loop.on_signals({SIGTERM, SIGINT, SIGHUP}, [&](int signal) {
    if (signal == SIGHUP) return reload(line, options);
    log_info("{}: stopping", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    loop.stop();
  });
  ZmqContext context;
  auto daemon = SyndicatorDaemon::start(loop, clock, context, **history, options);
  if (!daemon) return refuse(daemon.error());

  // Below this a pause of a few milliseconds at a high rate already costs datagrams.
  constexpr int kernel_buffer_min = 4 << 20;
  if ((*daemon)->kernel_buffer_bytes() < kernel_buffer_min) {
    log_warn(
        "the kernel holds only {} of datagrams for us; `sysctl -w net.core.rmem_max=33554432` "
        "makes room",
        format_bytes(static_cast<std::uint64_t>((*daemon)->kernel_buffer_bytes())));
  }
  log_info("receiving on UDP {}, publishing on {}, answering on {}; stream {} stands at {} in {}",
           (*daemon)->udp_address(), (*daemon)->publish_address(), (*daemon)->request_address(),
           (*history)->stream().to_string(), (*history)->last().value, options.history);

  loop.run();
  (*daemon)->stop();
  log_info("stopped; the stream stands at {}", (*history)->last().value);
  return 0;
}

int run_program(int argc, char** argv) {
  SyndicatorOptions options;
  Settings settings;
  options.declare(settings);
  CommandLine line("syndicator",
                   "Receives messages, numbers them, keeps the stream and publishes it.");
  line.daemon(&settings, [&options] { return options.check(); });
  CommandLine& check = line.command("check", "Says whether the History folder is sound");
  CommandLine& import = line.command("import", "Makes a new History from a recording");
  ImportCommandOptions import_options;
  import.required_text("FILE", &import_options.file,
                       "JSON Lines, as export writes them; - for standard input");
  import.flag("--keep-bad", &import_options.keep_bad,
              "take lines that cannot be decoded as error messages, instead of stopping there");
  line.optional_command();
  if (const auto code = line.parse(argc, argv)) return *code;
  if (check.chosen()) return check_history_command(options.history);
  start_log("syndicator", options.log_level());
  if (import.chosen()) {
    SystemClock clock;
    return import_command(import_options, history_options(options), clock);
  }
  return run(line, options);
}

}  // namespace
}  // namespace hastur

int main(int argc, char** argv) {
  hastur::expect_full_files();
  return hastur::end_output("syndicator", hastur::run_program(argc, argv));
}
