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

  void begins(std::size_t /*trigger*/, const OwnInput& input) override {
    if (!keeps) return;
    Began one{input.own, std::nullopt};
    if (input.derived != nullptr) one.derived = Message(*input.derived);
    began.push_back(std::move(one));
  }

  bool keeps = true;
  std::vector<Seen> seen;
  // Of a trigger that takes what it derives itself.
  struct Began {
    std::optional<Sequence> own;
    std::optional<Message> derived;
  };
  std::vector<Began> began;
};

namespace {

// Finds the story that a sequence belongs to.
class Places {
 public:
  void add(Sequence first, std::size_t story) { places_.push_back({first, story}); }
  Sequence first() const { return places_.front().first; }
  std::size_t of(Sequence sequence) const {
    const auto next = std::ranges::upper_bound(places_, sequence, {}, &Place::first);
    return next == places_.begin() ? 0 : std::prev(next)->story;
  }

 private:
  struct Place {
    Sequence first;
    std::size_t story;
  };
  std::vector<Place> places_;
};

void tell_state(InputStory& story) {
  StateStory& state = story.state;
  for (ObservedCall& call : story.calls) {
    if (!state.is_touched) state.before = state.after = call.before;
    state.is_touched = true;
    if (call.returned) state.after = call.after;
  }
}

void add_tick(ObservedTick& tick, InputStory& story) {
  if (!tick.before.is_null() || !tick.after.is_null())
    story.state = {true, std::move(tick.before), std::move(tick.after)};
  if (tick.alerts) story.alerts = std::move(*tick.alerts);
}

}  // namespace

const char* StateStory::unknown_words() const {
  if (!before.is_null()) return "has become larger than 64 KiB or no JSON";
  return after.is_null() ? "is larger than 64 KiB or no JSON" : "was larger than 64 KiB or no JSON";
}

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
  run->name_ = trigger.name;
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

bool CloseRun::derives_again(const BatchView& view, std::uint32_t row) const {
  const std::uint32_t origin = view.origins()[row];
  return origin != BatchView::none && view.origin(origin).trigger == name_ &&
         std::ranges::any_of(loaded().subscriptions, &SubscriptionSpec::own);
}

Result<std::vector<InputStory>> CloseRun::look(const InputBatch& input, std::uint32_t from_row,
                                               std::uint32_t row) {
  if (!std::exchange(looking_, true)) {
    const auto observed = run_->observe(0, ObserveCommand::What::calls);
    if (!observed) return fail(observed.error());
  }
  collector_->keeps = true;
  collector_->began.clear();
  const std::uint64_t cut_before = run_->cost(0).effects_cut;
  HASTUR_TRY(run_->feed(some_rows(input, from_row, row + 1)));
  const auto observed = run_->observe(0, ObserveCommand::What::calls);
  if (!observed) return fail(observed.error());
  const BatchView view = BatchView::trusted(input.batch.header, input.batch.body);
  std::vector<InputStory> stories;
  if (derives_again(view, row)) return stories;

  Places places;
  for (Collector::Began& began : collector_->began) {
    if (began.own) places.add(*began.own, stories.size());
    stories.emplace_back().derived = std::move(began.derived);
  }
  if (stories.empty()) {
    places.add(view.sequence(row), 0);
    stories.emplace_back();
  }
  for (Seen& seen : std::exchange(collector_->seen, {})) {
    const Sequence sequence = seen.effect ? seen.effect->sequence : seen.error->sequence;
    stories[places.of(sequence)].seen.push_back(std::move(seen));
  }
  stories.front().effects_cut = run_->cost(0).effects_cut - cut_before;
  const Result<Json> json = parse_json(*observed);
  if (!json) return stories;
  // Inputs that ran again after an error stand before this one.
  for (ObservedCall& call : observed_calls(*json, {})) {
    if (call.input >= places.first())
      stories[places.of(call.input)].calls.push_back(std::move(call));
  }
  for (InputStory& story : stories) tell_state(story);
  for (ObservedTick& tick : observed_ticks(*json)) {
    if (tick.input >= places.first()) add_tick(tick, stories[places.of(tick.input)]);
  }
  return stories;
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
