#pragma once

// Waiting for a supervisor that may take minutes, and knowing when it does nothing at all.

#include <functional>
#include <string>
#include <string_view>

#include "core/time.h"
#include "supervisor/cli/http_client.h"

namespace hastur {

struct Patience {
  // How often /healthz is asked while a request waits, and how long for.
  Micros look_every = std::chrono::seconds{10};
  Micros look_max = std::chrono::seconds{5};
  // A supervisor that answers nothing for so long is given up.
  Micros silent_max = std::chrono::seconds{60};
};

// From here on, while a request of `http` waits for its answer, /healthz tells whether the
// supervisor works or hangs. `say` gets a line when it ceases to answer, and when it answers again;
// after `silent_max` the request fails as `unavailable`. `busy` is a line that is said once, if a
// request takes longer than `look_every` and the supervisor works; empty: nothing is said.
void wait_patiently(HttpClient& http, const Patience& patience,
                    std::function<void(std::string_view line)> say, std::string busy = {});

}  // namespace hastur
