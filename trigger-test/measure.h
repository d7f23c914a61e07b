#pragma once

// What a trigger's tests run of it, and what it costs.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/json.h"
#include "trigger-test/stand.h"

namespace hastur {

// Of one trigger, over its tests.
struct Measured {
  // Lines of its script that have code in functions, and those of them that ran.
  std::set<std::uint32_t> code;
  std::set<std::uint32_t> ran;
  // How many runs were added: without one nothing is known of its lines.
  std::uint64_t runs = 0;
  // What came in, ticks not counted, and what that took.
  std::uint64_t messages = 0;
  std::uint64_t callbacks = 0;
  std::uint64_t instructions = 0;
  std::uint64_t effects = 0;
  // The largest at the end of a test, as JSON.
  std::uint64_t state_bytes = 0;

  // Adds a run that was observed (ObserveCommand::What::lines) on so many messages.
  void add(const TriggerFiles& trigger, const Outcome& outcome, std::uint64_t messages_fed);

  // Whole percent of the lines, rounded down; 100 if there are none, 0 if nothing ran.
  unsigned percent() const;
  // "12, 17-19": the lines that never ran.
  std::string missed_words() const;
  // A number for 1,000 messages; 0 without any.
  double for_1000(std::uint64_t number) const;
  // "92 % of 25 lines, never 12, 17-19; for 1,000 messages …"
  std::string words() const;
  Json json() const;
};

}  // namespace hastur
