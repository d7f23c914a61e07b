#include "trigger-test/stand.h"

#include <fmt/format.h>

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

// Feeds all of it; an error means that the worker is of no further use.
Result<void> feed_all(StreamRun& run, const Stream& stream, const RunOptions& options,
                      Outcome& outcome) {
  // What loading ran comes first.
  std::string loading;
  if (options.observe != ObserveCommand::What::nothing) {
    Result<std::string> begun = run.observe(0, options.observe);
    if (!begun) return fail(begun.error());
    loading = std::move(*begun);
  }
  for (const auto& batch : stream.batches) {
    HASTUR_TRY(run.feed(batch));
    if (options.is_enough && options.is_enough(run.cost(0))) {
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
  outcome.state = std::move(end->state);
  outcome.runtime = std::move(end->runtime);
  outcome.matched = run.matched(0);
  outcome.stops = run.stops(0);
  outcome.cost = run.cost(0);
  if (options.observe != ObserveCommand::What::nothing) {
    Result<std::string> observed = run.observe(0, ObserveCommand::What::nothing);
    if (!observed) return fail(observed.error());
    Result<Json> json = parse_json(join_observed(loading, std::move(*observed)));
    if (json) outcome.observed = std::move(*json);
  }
  return run.unload();
}

}  // namespace

std::string words_of_cut(std::uint64_t effects_cut) {
  return fmt::format(
      "one call has more effects than it may, and {} of them are left out: send one notification "
      "for all, derive and log less",
      effects_cut);
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
