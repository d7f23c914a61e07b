#pragma once

// Says to somebody outside, each minute, that the platform works from end to end. A heartbeat goes
// in as a datagram like any other; a trigger of the platform's own answers it with a derived
// message; the watchdog URL is called when that stands in the stream. So it has been received,
// numbered, published, routed, taken by a callback, committed and appended. When the calls stay
// away, whoever watches over the URL wakes somebody up.
//
// Stepped by events, without sockets and clock.

#include <cstdint>
#include <optional>
#include <string>

#include "core/time.h"
#include "message/batch.h"
#include "supervisor/dispatch/deployment.h"
#include "supervisor/platform_watch.h"

namespace hastur {

class Watchdog {
 public:
  static constexpr Micros every = std::chrono::minutes{1};

  // `owner`: of the state file, for two supervisors may be at one syndicator.
  explicit Watchdog(const std::string& owner);

  // The trigger that answers; it runs beside what the folder or branch says.
  DesiredScript script() const;

  const TriggerName& trigger() const { return trigger_; }

  // False until the first heartbeat.
  bool has_begun() const { return sent_.has_value(); }
  // The datagram that is to be sent now; nothing if none is due.
  std::optional<std::string> turn(Time now);
  // The datagram could not be sent; why.
  void not_sent(std::string why);
  // Whether the stream brings the answer to the last heartbeat: then the URL is to be called.
  bool seen(const Batch& published);
  // What came of the call; nothing: it arrived.
  void called(const std::optional<std::string>& why_not);

  // Why the URL is not called, or does not answer; nothing if it did.
  std::optional<PlatformTrouble> trouble() const;

 private:
  TriggerName trigger_;
  // Whose answer is awaited. Its time in µs is what tells it from others.
  std::optional<Time> awaited_;
  std::optional<Time> sent_;
  std::string why_not_;
  std::optional<Time> wrong_since_;
};

}  // namespace hastur
