#include "trigger-test/stand.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/clock.h"
#include "core/json.h"
#include "trigger-runtime/host/conversation.h"
#include "trigger-runtime/host/observed.h"

namespace hastur {
namespace {

class Collector final : public StreamListener {
 public:
  explicit Collector(std::vector<Seen>& seen) : seen_(seen) {}
  void effect(std::size_t /*trigger*/, Sequence input, const Effect& effect) override {
    seen_.push_back({input, effect.time, effect, std::nullopt});
  }
  void error(std::size_t /*trigger*/, Sequence input, const CallError& error) override {
    seen_.push_back({input, error.time, std::nullopt, error});
  }

 private:
  std::vector<Seen>& seen_;
};

constexpr std::uint64_t ticks_a_sample = 128;

std::uint64_t ticks_of(const InputBatch& batch) {
  const auto types = BatchView::trusted(batch.batch.header, batch.batch.body).types();
  return static_cast<std::uint64_t>(
      std::ranges::count(types, static_cast<std::uint8_t>(MessageType::tick)));
}

// Feeds all of it; an error means that the worker is of no further use.
Result<void> feed_all(StreamRun& run, const Stream& stream, const RunOptions& options,
                      Outcome& outcome) {
  // What loading ran comes first.
  if (options.observe != ObserveCommand::What::nothing) {
    Result<std::string> begun = run.observe(0, options.observe);
    if (!begun) return fail(begun.error());
    outcome.observed = parse_json(*begun).value_or(Json());
  }
  std::uint64_t ticks = 0, callbacks = 0;
  const auto is_judged_enough = [&](const std::string& state) {
    // One at which nothing ran has left the state as it was.
    const std::uint64_t judged = std::min(ticks, run.cost(0).callbacks - callbacks);
    if (options.cost_of_state) outcome.state_cost += judged * options.cost_of_state(state);
    callbacks = run.cost(0).callbacks;
    ticks = 0;
    return outcome.state_cost >= options.state_cost_max;
  };
  for (const auto& batch : stream.batches) {
    HASTUR_TRY(run.feed(batch));
    outcome.cut_at = time_from_us(batch->stream_times.back());
    bool is_enough = options.is_enough && options.is_enough(run.cost(0));
    if (options.cost_of_state) ticks += ticks_of(*batch);
    if (!is_enough && ticks >= ticks_a_sample) {
      Result<Memory> here = run.judge(0);
      if (!here) return fail(here.error());
      is_enough = is_judged_enough(here->state);
    }
    if (is_enough) {
      outcome.cut = true;
      break;
    }
    if (!options.states_after_batches) continue;
    Result<Memory> here = run.judge(0);
    if (!here) return fail(here.error());
    outcome.states.push_back(std::move(here->state));
    if (outcome.states.back().size() >= options.state_bytes_enough) {
      outcome.cut = true;
      break;
    }
  }
  Result<Memory> end = run.finish(0);
  if (!end) return fail(end.error());
  is_judged_enough(end->state);
  outcome.state = std::move(end->state);
  outcome.runtime = std::move(end->runtime);
  outcome.matched = run.matched(0);
  outcome.stops = run.stops(0);
  outcome.cost = run.cost(0);
  if (options.observe != ObserveCommand::What::nothing) {
    Result<std::string> observed = run.observe(0, ObserveCommand::What::nothing);
    if (!observed) return fail(observed.error());
    Result<Json> json = parse_json(*observed);
    if (json) append_observed(outcome.observed, std::move(*json));
  }
  return run.unload();
}

}  // namespace

std::string words_of_cut(const Outcome& outcome) {
  const CountedLimits limits;
  // Of the inputs and minutes that have most of what they may have: a limit that was hit is full.
  std::map<Sequence, std::uint32_t> of_an_input;
  std::map<std::int64_t, std::uint32_t> of_a_minute;
  bool any_notice = false;
  bool any_log = false;
  for (const Seen& seen : outcome.seen) {
    if (!seen.effect) continue;
    const bool is_message = seen.effect->kind == EffectKind::message;
    any_log |= seen.effect->kind == EffectKind::log;
    if (is_message) ++of_a_minute[minute_of(seen.time)];
    if (is_message || seen.effect->kind == EffectKind::log) ++of_an_input[seen.input];
    any_notice |= seen.effect->kind == EffectKind::notification &&
                  seen.effect->payload.find(R"("details":{"left_out":)") != std::string::npos;
  }
  const auto is_full = [](const auto& counts, std::uint32_t max) {
    return std::ranges::any_of(counts, [max](const auto& each) { return each.second >= max; });
  };
  const std::uint64_t cut = outcome.cost.effects_cut;
  std::vector<std::string> found;
  if (any_notice || is_full(of_an_input, limits.effects_max)) {
    found.push_back(
        fmt::format("one call has more effects than it may, and {} of them are left out: send one "
                    "notification for all, derive and log less",
                    cut));
  }
  if (is_full(of_a_minute, limits.messages_per_minute_max)) {
    found.push_back(fmt::format(
        "it derives more than {} messages in one minute, and {} effects are left out: derive less "
        "often, or one message for many",
        limits.messages_per_minute_max, cut));
  }
  if (found.empty() && any_log) {
    found.push_back(
        fmt::format("it logs more than {} KiB in one minute, and {} lines are left out: log less",
                    limits.log_bytes_per_minute_max / 1024, cut));
  }
  if (found.empty()) {
    found.push_back(
        fmt::format("the effects of one message are larger than they may be, and {} of them are "
                    "left out: say less in each",
                    cut));
  }
  return fmt::format("{}", fmt::join(found, "; and "));
}

Result<std::unique_ptr<Stand>> Stand::make() {
  auto inputs = SharedInputs::make();
  if (!inputs) return fail(inputs.error());
  return std::unique_ptr<Stand>(new Stand(std::move(*inputs)));
}

Result<void> Stand::ready() {
  if (worker_) return {};
  auto worker = Worker::spawn(*inputs_, {});
  if (!worker) return fail(worker.error());
  worker_ = std::move(*worker);
  last_handle_ = 0;
  return {};
}

Result<Outcome> Stand::run(const TriggerFiles& trigger, const Stream& stream,
                           const RunOptions& options) {
  HASTUR_TRY(ready());
  Outcome outcome;
  Collector collector(outcome.seen);
  StreamRun::Options how;
  how.derived_come_back = true;
  how.restore_after = options.restore_after;
  how.last_handle = last_handle_;
  if (options.is_enough) {
    how.is_enough = [&](std::size_t, const StreamCost& cost) { return options.is_enough(cost); };
  }
  StreamRun run(*worker_, collector, std::move(how));

  StreamTrigger loading;
  loading.name = trigger.name;
  loading.script = trigger.script;
  loading.libraries = trigger.libraries;
  loading.compare_each_call = true;
  loading.memory = options.memory;
  auto added = run.add(std::move(loading));
  last_handle_ = run.last_handle();
  Result<void> done;
  if (!added) {
    done = fail(added.error());
  } else if (auto* refused = std::get_if<ScriptError>(&*added)) {
    outcome.load_error = std::move(*refused);
    return outcome;
  } else {
    outcome.loaded = run.loaded(0);
    done = feed_all(run, stream, options, outcome);
    last_handle_ = run.last_handle();
  }
  if (done) return outcome;
  worker_.reset();
  if (done.error().code != ErrorCode::failed && done.error().code != ErrorCode::conflict)
    return fail(done.error());
  outcome.killed = done.error().message;
  return outcome;
}

Result<std::variant<Json, ScriptError>> Stand::evaluate(const ScriptFile& script,
                                                        const std::vector<ScriptFile>& libraries) {
  using Answer = std::variant<Json, ScriptError>;
  HASTUR_TRY(ready());
  Conversation talk(*worker_);
  Result<Evaluated> evaluated = talk.ask<Evaluated>(EvaluateCommand{script, libraries});
  if (!evaluated) {
    worker_.reset();
    if (!talk.death()) return fail(evaluated.error());
    return Answer(ScriptError{"the worker died while it read this file: " + talk.death()->why,
                              script.path, 0});
  }
  if (evaluated->error) return Answer(std::move(*evaluated->error));
  Result<Json> json = parse_json(evaluated->json);
  if (!json) return Answer(ScriptError{"it returned no data", script.path, 0});
  return Answer(std::move(*json));
}

Micros Stand::worker_cpu() const {
  return worker_ ? cpu_time_of(worker_->pid()).value_or(Micros{0}) : Micros{0};
}

}  // namespace hastur
