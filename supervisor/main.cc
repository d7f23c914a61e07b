// supervisor: runs triggers on the syndicator's stream. Everything is in supervisor/supervisor.h;
// here is the command line.

#include <cstdio>

#include "core/command_line.h"
#include "core/log.h"
#include "supervisor/config.h"
#include "supervisor/supervisor.h"

int main(int argc, char** argv) {
  hastur::SupervisorConfig config;
  hastur::Settings settings;
  config.declare(settings);
  hastur::CommandLine line(
      "supervisor",
      "Runs triggers on the stream of a syndicator, keeps their state, records what they ask for.");
  line.daemon(&settings, [&config] { return config.check(); });
  if (const auto exit_code = line.parse(argc, argv)) return *exit_code;

  hastur::start_log("supervisor",
                    hastur::log_level_from_name(config.log).value_or(hastur::LogLevel::info));
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
