#include "trigger-test/close_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/json.h"
#include "trigger-test/report.h"

namespace hastur {

class CloseRun::Collector final : public StreamListener {
 public:
  void effect(std::size_t /*trigger*/, Sequence input, const Effect& effect) override {
    if (keeps) seen.push_back({input, effect.time, effect, std::nullopt});
  }
  void error(std::size_t /*trigger*/, Sequence input, const CallError& error) override {
    if (keeps) seen.push_back({input, error.time, std::nullopt, error});
  }

  bool keeps = true;
  std::vector<Seen> seen;
};

CloseRun::CloseRun() = default;
CloseRun::~CloseRun() = default;

Result<std::variant<std::unique_ptr<CloseRun>, ScriptError>> CloseRun::start(
    const TriggerFiles& trigger) {
  using Answer = std::variant<std::unique_ptr<CloseRun>, ScriptError>;
  std::unique_ptr<CloseRun> run(new CloseRun);
  auto inputs = SharedInputs::make();
  if (!inputs) return fail(inputs.error());
  run->inputs_ = std::move(*inputs);
  auto worker = Worker::spawn(*run->inputs_, {});
  if (!worker) return fail(worker.error());
  run->worker_ = std::move(*worker);
  run->collector_ = std::make_unique<Collector>();
  StreamRun::Options options;
  options.derived_come_back = true;
  run->run_ = std::make_unique<StreamRun>(*run->worker_, *run->collector_, std::move(options));
  StreamTrigger loading;
  loading.name = trigger.name;
  loading.script = trigger.script;
  loading.libraries = trigger.libraries;
  auto added = run->run_->add(std::move(loading));
  if (!added) return fail(added.error());
  if (auto* refused = std::get_if<ScriptError>(&*added)) return Answer(std::move(*refused));
  return Answer(std::move(run));
}

const Loaded& CloseRun::loaded() const { return run_->loaded(0); }

Result<void> CloseRun::stop_looking() {
  if (!std::exchange(looking_, false)) return {};
  const auto observed = run_->observe(0, ObserveCommand::What::nothing);
  return observed ? Result<void>() : fail(observed.error());
}

Result<void> CloseRun::pass(std::shared_ptr<const InputBatch> input) {
  HASTUR_TRY(stop_looking());
  collector_->keeps = false;
  return run_->feed(std::move(input));
}

Result<std::vector<Seen>> CloseRun::feed(std::shared_ptr<const InputBatch> input) {
  HASTUR_TRY(stop_looking());
  collector_->keeps = true;
  HASTUR_TRY(run_->feed(std::move(input)));
  return std::exchange(collector_->seen, {});
}

Result<InputStory> CloseRun::look(const InputBatch& input, std::uint32_t from_row,
                                  std::uint32_t row) {
  if (!std::exchange(looking_, true)) {
    const auto observed = run_->observe(0, ObserveCommand::What::calls);
    if (!observed) return fail(observed.error());
  }
  collector_->keeps = true;
  HASTUR_TRY(run_->feed(some_rows(input, from_row, row + 1)));
  const auto observed = run_->observe(0, ObserveCommand::What::calls);
  if (!observed) return fail(observed.error());
  InputStory story;
  story.seen = std::exchange(collector_->seen, {});
  const Result<Json> json = parse_json(*observed);
  if (!json) return story;

  // Inputs that ran again after an error stand before this one.
  story.calls = observed_calls(*json, {});
  std::vector<ObservedTick> ticks = observed_ticks(*json);
  const auto first = json->find("calls");
  Sequence from{};
  if (first != json->end() && !first->empty() && !story.calls.empty()) {
    const Json sequence = first->front().value("sequence", Json(0));
    if (sequence.is_number_unsigned()) from = {sequence.get<std::uint64_t>()};
  }
  std::erase_if(story.calls, [&](const ObservedCall& call) { return call.input < from; });
  std::erase_if(ticks, [&](const ObservedTick& tick) { return tick.input < from; });

  if (!story.calls.empty()) {
    story.before = story.after = story.calls.front().before;
    for (ObservedCall& call : story.calls) {
      if (call.returned) story.after = call.after;
    }
  }
  if (!ticks.empty()) {
    ObservedTick& tick = ticks.back();
    if (!tick.before.is_null() || !tick.after.is_null()) {
      story.before = std::move(tick.before);
      story.after = std::move(tick.after);
    }
    if (tick.alerts) story.alerts = std::move(*tick.alerts);
  }
  return story;
}

Result<CloseRun::End> CloseRun::finish() {
  collector_->keeps = true;
  Result<Memory> memory = run_->finish(0);
  if (!memory) return fail(memory.error());
  End end;
  end.state = std::move(memory->state);
  end.seen = std::exchange(collector_->seen, {});
  end.matched = run_->matched(0);
  end.cost = run_->cost(0);
  return end;
}

std::shared_ptr<const InputBatch> some_rows(const InputBatch& input, std::uint32_t from,
                                            std::uint32_t end) {
  auto some = std::make_shared<InputBatch>();
  const BatchView view = BatchView::trusted(input.batch.header, input.batch.body);
  some->batch = slice(view, from, end - from);
  some->stream_times.assign(input.stream_times.begin() + from, input.stream_times.begin() + end);
  return some;
}

std::string does_not_load(const TriggerFiles& trigger, const ScriptError& error) {
  const FilePlace place{trigger.shown(error.script), error.line};
  return fmt::format("{} does not load: {}", place.text(), error.text);
}

}  // namespace hastur
