#include "trigger-test/hunt_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "core/json.h"
#include "trigger-test/dice.h"
#include "trigger-test/shrink.h"

namespace hastur {
namespace {

// A restore is three commands to the worker, and a load more.
constexpr std::size_t restores_max = 150;
constexpr std::size_t loads_max = 6;
// Smaller cases that are tried.
constexpr std::size_t tries_max = 60;

// In steps of HuntRuns, measured.
constexpr std::uint64_t steps_an_instruction = 5;
// Of a run whose lines are looked at.
constexpr std::uint64_t steps_an_observed_instruction = 40;
constexpr std::uint64_t steps_a_call = 1'000;
constexpr std::uint64_t steps_a_row = 100;
constexpr std::uint64_t steps_a_message = 6'000;
constexpr std::uint64_t steps_a_command = 20'000;
constexpr std::uint64_t steps_an_effect = 5'000;
constexpr std::uint64_t steps_an_effect_cut = 3'000;
constexpr std::uint64_t steps_without_memory = 60'000'000;
constexpr std::uint64_t steps_a_run = 400'000;
// A state is judged at a tick if it was touched: it takes most of its entries.
constexpr std::uint64_t steps_an_entry = 28;
constexpr std::uint64_t steps_a_table = 150;
constexpr std::uint64_t state_bytes_a_step = 4;

std::uint64_t steps_of_state(const std::string& state) {
  return steps_an_entry * static_cast<std::uint64_t>(std::ranges::count(state, ',')) +
         steps_a_table * static_cast<std::uint64_t>(std::ranges::count(state, '{')) +
         state.size() / state_bytes_a_step;
}

std::uint64_t computed_steps_of(const StreamCost& cost, bool is_observed) {
  return (is_observed ? steps_an_observed_instruction : steps_an_instruction) * cost.instructions +
         steps_without_memory * cost.out_of_memory;
}

std::uint64_t steps_of(const StreamCost& cost, bool is_observed) {
  return computed_steps_of(cost, is_observed) + steps_a_call * cost.callbacks +
         steps_an_effect_cut * cost.effects_cut + steps_a_command * cost.commands;
}

// Small, so that a run can be ended early.
constexpr std::uint32_t rows_a_batch = 64;

struct InputRow {
  Sequence sequence;
  bool is_tick = false;
};

std::vector<InputRow> rows_of(const Stream& stream) {
  std::vector<InputRow> rows;
  for (const auto& batch : stream.batches) {
    const BatchView view = BatchView::trusted(batch->batch.header, batch->batch.body);
    for (std::uint32_t row = 0; row < view.count(); ++row) {
      rows.push_back(
          {view.sequence(row), view.types()[row] == static_cast<std::uint8_t>(MessageType::tick)});
    }
  }
  return rows;
}

std::string words(const Seen& seen) {
  if (seen.error) {
    return fmt::format("the error '{}' of line {}", seen.error->error.text, seen.error->error.line);
  }
  std::string what = "the log line ";
  if (seen.effect->kind == EffectKind::notification) what = "the notification ";
  if (is_message(seen.effect->kind)) what = "the derived message ";
  return what + seen.effect->payload;
}

// Of several calls that fail at one input, the one that stopped it is told last.
std::vector<const Seen*> comparable(const Outcome& outcome) {
  std::vector<const Seen*> list;
  for (const Seen& seen : outcome.seen) {
    if (!seen.error || seen.error->kind != CallError::Kind::judgement) list.push_back(&seen);
  }
  std::ranges::stable_sort(list, {}, [](const Seen* seen) {
    return std::tuple(seen->input, seen->error.has_value(),
                      seen->error ? seen->error->callback : 0u);
  });
  return list;
}

bool same(const Seen& one, const Seen& other) {
  if (one.input != other.input || one.effect.has_value() != other.effect.has_value()) return false;
  if (one.effect) {
    return one.effect->kind == other.effect->kind && one.effect->time == other.effect->time &&
           one.effect->payload == other.effect->payload;
  }
  return one.error->kind == other.error->kind && one.error->callback == other.error->callback &&
         one.error->error == other.error->error;
}

std::optional<Disagreement> differ(const Json& one, const Json& other, const std::string& path) {
  if (one == other && canonical_json(one) == canonical_json(other)) return std::nullopt;
  if (one.is_object() && other.is_object()) {
    std::set<std::string> keys;
    for (const Json* each : {&one, &other}) {
      for (const auto& [key, unused] : each->items()) keys.insert(key);
    }
    for (const std::string& key : keys) {
      const std::string below = path.empty() ? key : path + "." + key;
      const auto in_one = one.find(key);
      const auto in_other = other.find(key);
      if (in_one == one.end()) return Disagreement{true, below, "", canonical_json(*in_other), {}};
      if (in_other == other.end())
        return Disagreement{true, below, canonical_json(*in_one), "", {}};
      if (auto found = differ(*in_one, *in_other, below)) return found;
    }
  }
  return Disagreement{true, path, canonical_json(one), canonical_json(other), {}};
}

// A case without some of its messages is not to wait, second by second, for what was lost before.
constexpr Micros wait_max = std::chrono::hours{2};
constexpr std::int64_t seconds_max = 20'000;

// Spans that were lost between messages that are left out are lost still.
TestCase with_gaps_closed(TestCase test) {
  std::ranges::stable_sort(test.messages, {}, &MessageSpec::at);
  Micros before{0};
  for (MessageSpec& spec : test.messages) {
    if (spec.lost > Micros{0} && spec.at - spec.lost - before > wait_max)
      spec.lost = spec.at - before - std::chrono::seconds{1};
    before = spec.at;
  }
  return test;
}

// How many seconds it goes through one by one.
std::int64_t seconds_of(const TestCase& test) {
  Micros span = test.ends;
  for (const MessageSpec& spec : test.messages) span = std::max(span, spec.at);
  for (const MessageSpec& spec : test.messages) span -= spec.lost + spec.deaf;
  return span / std::chrono::seconds{1};
}

}  // namespace

std::optional<HuntCase> HuntRuns::prepare(TestCase test, std::uint64_t seed) {
  std::ranges::stable_sort(test.messages, {}, &MessageSpec::at);
  auto made = make_test_stream(test, folder_, rows_a_batch);
  auto* stream = std::get_if<TestStream>(&made);
  if (stream == nullptr) return std::nullopt;
  steps_ += steps_a_message * stream->messages.size();
  return HuntCase{std::move(test), std::move(*stream), seed};
}

std::function<Restore(Sequence)> HuntRuns::restores(const HuntCase& one, Way way) const {
  const std::vector<InputRow> rows = rows_of(one.stream.stream);
  std::set<Sequence> at;
  Dice dice(one.seed ^ static_cast<std::uint64_t>(way));
  if (way == Way::restored_at_random) {
    for (std::size_t i = 0; i < loads_max && !rows.empty(); ++i)
      at.insert(dice.one_of(rows).sequence);
    return [at](Sequence input) { return at.contains(input) ? Restore::fresh : Restore::no; };
  }
  // Messages, and the tick after each, come first; then ticks by chance.
  std::vector<Sequence> first;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool after_message = i > 0 && rows[i].is_tick && !rows[i - 1].is_tick;
    if (!rows[i].is_tick || after_message) first.push_back(rows[i].sequence);
  }
  while (first.size() > restores_max)
    first.erase(first.begin() + static_cast<std::ptrdiff_t>(dice.below(first.size())));
  at.insert(first.begin(), first.end());
  for (std::size_t i = 0; i < restores_max && at.size() < std::min(restores_max, rows.size()); ++i)
    at.insert(dice.one_of(rows).sequence);
  return [at](Sequence input) { return at.contains(input) ? Restore::in_place : Restore::no; };
}

Result<Outcome> HuntRuns::run(const HuntCase& one, Way way) {
  RunOptions options;
  if (way == Way::observed) options.observe = ObserveCommand::What::calls;
  if (way == Way::restored_each || way == Way::restored_at_random) {
    options.restore_after = restores(one, way);
  }
  return run(way == Way::elsewhere ? elsewhere_ : here_, one.stream.stream, std::move(options),
             usual_part);
}

Result<Outcome> HuntRuns::run(const Stream& stream, RunOptions options, std::uint64_t part) {
  return run(here_, stream, std::move(options), part);
}

Result<Outcome> HuntRuns::run(Stand& stand, const Stream& stream, RunOptions options,
                              std::uint64_t part) {
  const bool is_observed = options.observe != ObserveCommand::What::nothing;
  options.is_enough = [is_observed, part](const StreamCost& cost) {
    return steps_of(cost, is_observed) > steps_max / part;
  };
  options.cost_of_state = steps_of_state;
  options.state_cost_max = steps_max / (2 * part);
  Result<Outcome> outcome = stand.run(trigger_, stream, options);
  if (!outcome) return outcome;
  computed_steps_ += computed_steps_of(outcome->cost, is_observed);
  const std::uint64_t rows = stream.row_messages.size();
  steps_ += steps_a_run + steps_a_row * rows + steps_of(outcome->cost, is_observed) +
            steps_an_effect * outcome->seen.size() + outcome->state_cost;
  return outcome;
}

HuntRuns::Budget::Budget(HuntRuns& runs, std::uint64_t steps)
    : runs_(runs),
      steps_(steps),
      steps_before_(runs.steps_),
      computed_before_(runs.computed_steps_),
      end_before_(runs.end_) {
  runs_.end_ = runs_.steps_ + steps;
}

// What it took over its own, shrinking say, counts for the rest.
HuntRuns::Budget::~Budget() {
  runs_.end_ = end_before_ + std::min(steps_, runs_.steps_ - steps_before_);
}

bool HuntRuns::Budget::are_calls_slow() const {
  return 2 * (runs_.computed_steps_ - computed_before_) >= runs_.steps_ - steps_before_;
}

Result<HuntCase> HuntRuns::smallest(
    const HuntCase& one, const std::function<Result<bool>(const HuntCase&)>& still_fails) {
  const std::int64_t most = std::max(seconds_max, seconds_of(one.test));
  const Result<TestCase> test = shrink(one.test, tries_max, [&](const TestCase& smaller) {
    if (steps_ >= end_ + shrinking_steps_max || is_over_by_the_clock()) return Result<bool>(false);
    TestCase closed = with_gaps_closed(smaller);
    if (seconds_of(closed) > most) return Result<bool>(false);
    const auto prepared = prepare(std::move(closed), one.seed);
    return prepared ? still_fails(*prepared) : Result<bool>(false);
  });
  if (!test) return fail(test.error());
  auto prepared = prepare(with_gaps_closed(*test), one.seed);
  return prepared ? std::move(*prepared) : one;
}

std::optional<Disagreement> state_disagreement(const std::string& one, const std::string& other) {
  if (one == other) return std::nullopt;
  const Result<Json> first = parse_json(one);
  const Result<Json> second = parse_json(other);
  if (!first || !second) return Disagreement{true, "", one, other, {}};
  return differ(*first, *second, "");
}

std::optional<Disagreement> disagreement(const Outcome& one, const Outcome& other) {
  const std::vector<const Seen*> first = comparable(one);
  const std::vector<const Seen*> second = comparable(other);
  std::uint32_t ordinal = 0;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    const Seen* a = i < first.size() ? first[i] : nullptr;
    const Seen* b = i < second.size() ? second[i] : nullptr;
    const Sequence input = a != nullptr ? a->input : b->input;
    const Seen* before = i > 0 && i <= first.size() ? first[i - 1] : nullptr;
    ordinal = before != nullptr && before->input == input ? ordinal + 1 : 0;
    if (a != nullptr && b != nullptr && same(*a, *b)) continue;
    return Disagreement{false, "",     a != nullptr ? words(*a) : "", b != nullptr ? words(*b) : "",
                        input, ordinal};
  }
  return state_disagreement(one.state, other.state);
}

}  // namespace hastur
