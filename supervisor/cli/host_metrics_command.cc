#include "supervisor/cli/host_metrics_command.h"

#include <csignal>

#include "core/log.h"
#include "core/udp_sender.h"
#include "supervisor/cli/host_reader.h"

namespace hastur {

int host_metrics_command(const std::string& to, Micros period, Loop& loop, Clock& clock) {
  auto sender = UdpSender::connect(to);
  if (!sender) {
    log_error("{}", sender.error().message);
    return 1;
  }
  const HostIdentity identity = identify_host();
  HostMetrics metrics(identity);
  log_info("sending what {} ({}) says of itself to {} each {}", identity.hostname, identity.uuid,
           to, format_span(period));

  bool heard = true;
  const auto turn = [&] {
    std::optional<Error> error;
    for (const std::string& message : metrics.messages(read_host(), clock.now())) {
      if (const auto sent = sender->send(message); !sent && !error) error = sent.error();
    }
    // One line when it stops being heard and one when it is heard again, not one a second.
    if (error && heard) log_warn("{}", error->message);
    if (!error && !heard) log_info("{} takes messages again", to);
    heard = !error;
  };
  const auto signals = loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.stop(); });
  const auto timer = loop.every(period, turn);
  turn();
  loop.run();
  log_info("stopped");
  return 0;
}

}  // namespace hastur
