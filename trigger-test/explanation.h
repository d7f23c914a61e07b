#pragma once

// Why a trigger did what it did, and did not do the rest: the inputs around a moment, each with
// what its filters said of it, the lines that ran, what changed and what came of it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "message/message.h"
#include "trigger-test/close_run.h"
#include "trigger-test/filter_words.h"
#include "trigger-test/paint.h"
#include "trigger-test/ran_lines.h"
#include "trigger-test/state_change.h"
#include "trigger-test/stream.h"

namespace hastur {

struct RanCall {
  std::uint32_t callback = 0;
  // Of the subscription that it is of; nothing: ctx:every, or a key's silence.
  std::optional<std::uint32_t> subscribed_at;
  // Where its function begins to run.
  std::uint32_t line = 0;
  bool returned = true;
  std::uint64_t instructions = 0;
  std::vector<RanLine> lines;
};

struct ExplainedInput {
  Time time;
  // Of the message in the recording; of a tick that of the message before it, of a derived one that
  // of the input which it was derived from.
  std::uint64_t number = 0;
  Message message;
  // The trigger derived it itself, from the input before it that is not derived.
  bool is_derived = false;
  // Of subscriptions that take its type. Empty for a tick.
  std::vector<Judgement> judgements;
  std::vector<RanCall> calls;
  std::vector<StateChange> changes;
  // Why they are not known, of a state that something ran on: "is larger than 64 KiB or no JSON";
  // empty: they are.
  std::string unknown_changes;
  std::vector<QuietAlert> alerts;
  std::vector<Seen> seen;
  // Of InputStory.
  std::uint64_t effects_cut = 0;

  bool is_tick() const { return message.view().type == MessageType::tick; }
  bool changes_nothing() const { return changes.empty() && unknown_changes.empty(); }
};

struct Explanation {
  Loaded loaded;
  Time at;
  Time from;
  Time to;
  std::vector<ExplainedInput> inputs;
  // Nearer to the moment there were so many already.
  std::size_t earlier = 0;
  std::size_t later = 0;
  // Those that a key left out.
  std::size_t of_other_keys = 0;
  // Incident keys and keys of alerts that were met: for a key that is none of them.
  std::vector<std::string> keys;
};

struct ExplainOptions {
  Time at;
  // So long before and after.
  Micros around{0};
  // Widen it to the few last messages before the moment that a filter takes.
  bool widen = true;
  // Only inputs that have to do with it; empty: all.
  std::string key;
};

// Runs the trigger on the stream up to there. `failed`: it does not load, or killed its worker.
Result<Explanation> explain_trigger(const TriggerFiles& trigger, const Stream& stream,
                                    const ExplainOptions& options);

// "pager_duty k: high", "gauge a.b 3", "log x"; an error with its place. Printable.
std::string seen_words(const Seen& seen);
Json json_of(const Seen& seen);
Json json_of(const StateChange& change);

std::string explanation_text(const Explanation& explanation, const TriggerFiles& trigger,
                             const std::string& key, const Paint& paint);
// docs/testing.md
Json explanation_json(const Explanation& explanation, const TriggerFiles& trigger);

}  // namespace hastur
