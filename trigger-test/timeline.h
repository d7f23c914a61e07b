#pragma once

// Why something did not come: what the trigger did with the inputs around the time when it should
// have.

#include <string>
#include <vector>

#include "trigger-test/calls.h"
#include "trigger-test/stand.h"
#include "trigger-test/verdict.h"

namespace hastur {

struct TimelineOf {
  // All outlive it.
  const TriggerFiles& trigger;
  const TestStream& test;
  const Outcome& outcome;
  const std::vector<Came>& came;
  const std::vector<ObservedCall>& calls;
  Time start;
};

// The lines of a timeline, in order of time: inputs that have to do with `key` (all, if none has),
// for each the reason why nothing came of it: the filter that refused it, or the lines that ran
// and the locals there; and what came of the key. `from`…`to` is where something should have come:
// of it and a little before, everything is told; like lines become one.
std::vector<std::string> timeline(const TimelineOf& of, const std::string& key, Micros from,
                                  Micros to);

}  // namespace hastur
