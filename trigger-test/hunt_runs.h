#pragma once

// The runs of a hunt: one trigger on one case in several ways that must agree.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "trigger-test/calls.h"
#include "trigger-test/stand.h"
#include "trigger-test/stream.h"
#include "trigger-test/test_file.h"

namespace hastur {

enum class Way : std::uint8_t {
  straight,
  // In another process.
  elsewhere,
  // Put back from its JSON after every input, as far as there are not too many.
  restored_each,
  // Into a new load of the script, at points that the case's seed chooses.
  restored_at_random,
  // Straight, and looked at.
  observed,
};

// A case that is ready to be run.
struct HuntCase {
  TestCase test;
  TestStream stream;
  std::uint64_t seed = 0;
};

class HuntRuns {
 public:
  // What a hunt may take, in steps: about as many as a modern machine takes nanoseconds. They are
  // counted, so that a seed gives the same result on every machine. The search may take the first
  // number, the shrinking of what was found the second besides. The CPU time is a guard, far above
  // what they come to.
  static constexpr std::uint64_t steps_max = 120'000'000;
  static constexpr std::uint64_t shrinking_steps_max = 100'000'000;
  static constexpr Micros cpu_max = std::chrono::seconds{5};
  // What one run may take of the whole: a slow script shows that in a part of it.
  static constexpr std::uint64_t usual_part = 4;

  // All outlive it. Recordings of tests lie in `folder`.
  HuntRuns(Stand& here, Stand& elsewhere, const TriggerFiles& trigger, std::string folder)
      : here_(here),
        elsewhere_(elsewhere),
        trigger_(trigger),
        folder_(std::move(folder)),
        cpu_begin_(cpu()) {}

  // Its messages are in order of time then. Nothing if no stream can be made of it.
  std::optional<HuntCase> prepare(TestCase test, std::uint64_t seed);

  // An error is one of the machine.
  Result<Outcome> run(const HuntCase& one, Way way);
  // At most a part of all steps is taken by it.
  Result<Outcome> run(const Stream& stream, RunOptions options, std::uint64_t part = usual_part);

  // The fewest messages of `one` that still fail, as far as the steps for it reach; `one` fails. An
  // error is one of the machine.
  Result<HuntCase> smallest(const HuntCase& one,
                            const std::function<Result<bool>(const HuntCase&)>& still_fails);

  // What the calls of an observed run did.
  static std::vector<ObservedCall> calls(const HuntCase& one, const Outcome& observed) {
    return observed_calls(observed.observed, one.stream.names);
  }

  // A part of the search with a budget of its own while this lives: it may take so many steps, and
  // they are not taken from the rest. Within it `is_over` speaks of it.
  class Budget {
   public:
    Budget(HuntRuns& runs, std::uint64_t steps);
    ~Budget();
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;
    // Whether most of what it took went into what calls compute, and not into how many inputs, most
    // of them ticks, there were.
    bool are_calls_slow() const;

   private:
    HuntRuns& runs_;
    const std::uint64_t steps_;
    const std::uint64_t steps_before_;
    const std::uint64_t computed_before_;
    const std::uint64_t end_before_;
  };

  std::uint64_t steps() const { return steps_; }
  // Whether the search has taken all that it may.
  bool is_over() const { return steps_ >= end_ || is_over_by_the_clock(); }
  bool is_over_by_the_clock() const { return cpu() - cpu_begin_ >= cpu_max; }

 private:
  Result<Outcome> run(Stand& stand, const Stream& stream, RunOptions options, std::uint64_t part);
  Micros cpu() const { return thread_cpu_time() + here_.worker_cpu() + elsewhere_.worker_cpu(); }
  std::function<Restore(Sequence)> restores(const HuntCase& one, Way way) const;

  Stand& here_;
  Stand& elsewhere_;
  const TriggerFiles& trigger_;
  const std::string folder_;
  std::uint64_t steps_ = 0;
  std::uint64_t computed_steps_ = 0;
  // With so many the search is over.
  std::uint64_t end_ = steps_max;
  const Micros cpu_begin_;
};

// Where two runs of the same case differ.
struct Disagreement {
  // Of the state: a path ("hosts.u1.count"), and the two values as JSON, empty where absent.
  // Of effects and errors: what they are, with the two in words.
  bool of_state = false;
  std::string path;
  std::string one;
  std::string other;
  // Of effects: of which input, and which of its effects.
  Sequence input;
  std::uint32_t ordinal = 0;
};

// The first difference; an effect before the state. Judgements are left aside: when they are made
// is not the same.
std::optional<Disagreement> disagreement(const Outcome& one, const Outcome& other);

// The first path at which two states differ.
std::optional<Disagreement> state_disagreement(const std::string& one, const std::string& other);

}  // namespace hastur
