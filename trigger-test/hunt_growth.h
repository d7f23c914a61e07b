#pragma once

// Whether a state grows without end while the same few senders go on, and whether what it keeps can
// be worked with once there is as much of it as there may be.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "trigger-test/hunt_cases.h"
#include "trigger-test/hunt_runs.h"
#include "trigger-test/report.h"

namespace hastur {

struct Growth {
  // What grows and where it is written; or which call fails on as much as is kept.
  ReportedFailure finding;
  // A test that fails until it no longer does, and its name; nothing if that would take too long.
  std::optional<TestCase> test;
  std::string title;
};

struct GrowthAnswer {
  std::optional<Growth> found;
  // Of cases in which something else failed, the shortest first, the one that shows it is to be
  // examined as any other.
  std::vector<TestCase> suspicious;
  // What grew as far as the hunt went, though a number of the script may yet be its end.
  std::optional<ReportedFailure> unsure;
  // It was looked at in part only: the budget (HuntRuns::is_over) did not reach further, or calls
  // took so long that a look came to nothing.
  bool is_cut_short = false;
};

// Whether an error is one that the trigger's author wants: it is no failure.
using IsMeant = std::function<bool(const CallError&)>;

// `words`: the numbers of the script may be the most that it keeps, its spans the longest.
Result<GrowthAnswer> find_growth(HuntRuns& runs, const TriggerFiles& trigger,
                                 const CaseMaker& cases, const ScriptWords& words,
                                 const IsMeant& is_meant, std::uint64_t seed);

}  // namespace hastur
