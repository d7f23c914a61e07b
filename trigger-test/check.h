#pragma once

// Checks one trigger: does it load, do its tests hold, is it safe.

#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "trigger-test/hunt.h"
#include "trigger-test/report.h"
#include "trigger-test/stand.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

struct CheckOptions {
  // Only tests whose name holds this, and no hunt; empty: all.
  std::string only_tests;
  // Say what the tests run of each trigger, and what it costs; fail one of which they run less.
  bool measure = false;
  unsigned coverage_min = 0;
  // Nothing: no hunt.
  std::optional<HuntOptions> hunt;
  // On the clock of the check: from then on no hunt is begun, so that all load and run their tests.
  std::optional<Micros> hunts_until = std::nullopt;
  // Told what is begun: "the test 'quiet at night' at load.test.lua:3".
  std::function<void(const std::string&)> begins = {};
};

// Checks the trigger whose script lies at `path`; the hunt compares what it does on one stand with
// the other. An error is one of the machine.
Result<TriggerReport> check_trigger(Stand& stand, Stand& elsewhere, Clock& clock,
                                    const std::string& path, const CheckOptions& options);

}  // namespace hastur
