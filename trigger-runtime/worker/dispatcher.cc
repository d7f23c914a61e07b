#include "trigger-runtime/worker/dispatcher.h"

#include <fmt/format.h>

#include <utility>

#include "trigger-runtime/vm/loaded_trigger.h"

namespace hastur {
namespace {

// A trigger leaves the rest of its rows when the effects of one reply pass this. With what one
// more input brings, and a judged state, they fit into the output memory.
constexpr std::size_t effect_bytes_max = 32u << 20;

}  // namespace

Result<WorkerReply> Dispatcher::answer(const ReceivedCommand& command) {
  return std::visit([this](const auto& kind) { return run(kind); }, command);
}

void Dispatcher::begins(TriggerHandle trigger, Sequence sequence, std::uint32_t callback) {
  channel_.begin(trigger.value, sequence.value, callback);
}

bool Dispatcher::must_yield(std::uint64_t instructions, std::size_t effect_bytes) {
  if (instructions_slice_ > 0 && instructions >= instructions_slice_) return true;
  if (effect_bytes_ + effect_bytes > effect_bytes_max) return true;
  return slice_end_ && clock_.monotonic() >= *slice_end_;
}

Result<Dispatcher::Trigger*> Dispatcher::find(TriggerHandle handle) {
  const auto found = triggers_.find(handle.value);
  if (found == triggers_.end()) {
    return fail(ErrorCode::not_found, fmt::format("trigger {} is not loaded", handle.value));
  }
  channel_.begin(handle.value, 0, StatusPage::none);
  return &found->second;
}

Result<WorkerReply> Dispatcher::run(const LoadCommand& load) {
  channel_.begin(load.handle.value, 0, StatusPage::none);
  auto vm = ScriptVm::load(load);
  if (auto* failed = std::get_if<LoadFailed>(&vm)) return WorkerReply(std::move(*failed));
  Trigger trigger{std::move(std::get<std::unique_ptr<ScriptVm>>(vm)), {}, {}, false};
  if (load.memory) {
    trigger.reached = load.memory->sequence;
    trigger.time = load.memory->time;
  }
  const Loaded loaded = trigger.vm->loaded();
  triggers_.insert_or_assign(load.handle.value, std::move(trigger));
  return WorkerReply(loaded);
}

Result<WorkerReply> Dispatcher::run(const RestoreCommand& restore) {
  const Result<Trigger*> trigger = find(restore.handle);
  if (!trigger) return fail(trigger.error());
  (*trigger)->vm->restore(restore.memory, restore.guarded_callbacks);
  (*trigger)->reached = restore.memory.sequence;
  (*trigger)->time = restore.memory.time;
  (*trigger)->yielded = false;
  return WorkerReply(Restored{restore.handle});
}

Result<WorkerReply> Dispatcher::run(const PlacedFeed& feed) {
  const auto body = channel_.input(feed.input.body);
  const auto times = channel_.input(feed.input.stream_times);
  const BatchHeader& header = feed.input.header;
  if (!body || !times || times->size() != header.count * sizeof(std::int64_t)) {
    return fail(ErrorCode::corrupt, "a batch lies outside the input memory");
  }
  // The parent has checked the batch before it placed it.
  const BatchView batch = BatchView::trusted(header, *body);
  const std::span stream_times(reinterpret_cast<const std::int64_t*>(times->data()), header.count);
  FeedReply reply;
  effect_bytes_ = 0;
  instructions_slice_ = feed.instructions_slice;
  reply.triggers.reserve(feed.triggers.size());
  Micros before = cpu_time();
  for (const TriggerFeed& trigger : feed.triggers) {
    slice_end_.reset();
    if (feed.slice > Micros{0}) slice_end_ = clock_.monotonic() + feed.slice;
    Result<TriggerProgress> progress = run(trigger, batch, stream_times);
    if (!progress) return fail(progress.error());
    // Read once between two triggers: it is a system call.
    const Micros after = cpu_time();
    progress->cpu = after - std::exchange(before, after);
    for (const Effect& effect : progress->effects) effect_bytes_ += effect.payload.size();
    reply.triggers.push_back(std::move(*progress));
  }
  return WorkerReply(std::move(reply));
}

Result<TriggerProgress> Dispatcher::run(const TriggerFeed& feed, const BatchView& batch,
                                        std::span<const std::int64_t> stream_times) {
  const Result<Trigger*> trigger = find(feed.handle);
  if (!trigger) return fail(trigger.error());
  if (feed.from_row > feed.end_row || feed.end_row > batch.count()) {
    return fail(ErrorCode::invalid, "a trigger was fed rows that its batch does not have");
  }
  if ((*trigger)->yielded && !feed.goes_on) {
    TriggerProgress left;
    left.handle = feed.handle;
    left.reached = {batch.header().first.value + feed.from_row - 1};
    return left;
  }
  TriggerProgress progress = (*trigger)->vm->feed(batch, stream_times, feed.from_row, feed.end_row,
                                                  feed.matches, feed.skips, this);
  if (progress.reached >= batch.header().first && batch.count() != 0) {
    (*trigger)->time =
        time_from_us(stream_times[progress.reached.value - batch.header().first.value]);
  }
  (*trigger)->reached = progress.reached;
  (*trigger)->yielded = progress.yielded;
  return progress;
}

Result<WorkerReply> Dispatcher::run(const JudgeCommand& judge) {
  const Result<Trigger*> trigger = find(judge.handle);
  if (!trigger) return fail(trigger.error());
  return WorkerReply(
      (*trigger)->vm->judge((*trigger)->reached, (*trigger)->time, judge.may_stand_still));
}

Result<WorkerReply> Dispatcher::run(const UnloadCommand& unload) {
  triggers_.erase(unload.handle.value);
  return WorkerReply(Unloaded{unload.handle});
}

Result<WorkerReply> Dispatcher::run(const ObserveCommand& observe) {
  const Result<Trigger*> trigger = find(observe.handle);
  if (!trigger) return fail(trigger.error());
  return WorkerReply(Observed{observe.handle, (*trigger)->vm->observe(observe.what)});
}

Result<WorkerReply> Dispatcher::run(const EvaluateCommand& command) {
  return WorkerReply(evaluate(command));
}

}  // namespace hastur
