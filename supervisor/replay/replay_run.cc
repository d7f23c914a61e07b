#include "supervisor/replay/replay_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {

Result<std::unique_ptr<ReplayRun>> ReplayRun::begin(const ReplayPlan& plan,
                                                    StreamListener& listener,
                                                    const Options& options) {
  std::unique_ptr<ReplayRun> run(new ReplayRun(plan, options));
  auto inputs = SharedInputs::make();
  if (!inputs) return fail(inputs.error());
  run->inputs_ = std::move(*inputs);
  auto worker = Worker::spawn(*run->inputs_, options.worker);
  if (!worker) return fail(worker.error());
  run->worker_ = std::move(*worker);
  StreamRun::Options stream_options;
  stream_options.derived_come_back = options.derived_come_back;
  run->stream_ = std::make_unique<StreamRun>(*run->worker_, listener, stream_options);
  for (const ReplayTrigger& trigger : plan.triggers) {
    const auto added = run->stream_->add(trigger.stream);
    if (!added) return fail(added.error());
    if (const auto* error = std::get_if<ScriptError>(&*added)) {
      return fail(ErrorCode::failed, fmt::format("{} does not load: {}:{}: {}", trigger.stream.name,
                                                 error->script, error->line, error->text));
    }
    run->matched_before_.push_back(0);
  }
  return run;
}

// A batch is parted where the answer begins, so that what is counted begins there too.
Result<void> ReplayRun::take(Batch batch, std::optional<Sequence> through) {
  const BatchHeader header = batch.header;
  const Sequence first = std::max(header.first, reached_.next());
  const Sequence last = through ? std::min(header.last(), *through) : header.last();
  if (last < first) return {};
  const BatchView view = BatchView::trusted(header, batch.body);
  const auto part = [&](Sequence from, Sequence to) {
    return slice(view, static_cast<std::uint32_t>(from.value - header.first.value),
                 static_cast<std::uint32_t>(to.value - from.value + 1));
  };
  if (first < begin_ && begin_ <= last) {
    HASTUR_TRY(feed(part(first, Sequence{begin_.value - 1})));
    return feed(part(begin_, last));
  }
  if (first == header.first && last == header.last()) return feed(std::move(batch));
  return feed(part(first, last));
}

Result<void> ReplayRun::feed(Batch batch) {
  const BatchHeader header = batch.header;
  if (!begun_ && header.first >= begin_) {
    begun_ = true;
    for (std::size_t i = 0; i < matched_before_.size(); ++i)
      matched_before_[i] = stream_->matched(i);
  }
  auto input = input_of(std::move(batch));
  if (begun_) {
    const BatchView view = BatchView::trusted(input->batch.header, input->batch.body);
    const auto ticks =
        std::ranges::count(view.types(), static_cast<std::uint8_t>(MessageType::tick));
    messages_ += header.count - static_cast<std::uint64_t>(ticks);
  }
  reached_ = header.last();
  return stream_->feed(std::move(input));
}

Result<void> ReplayRun::lose(Sequence first, Sequence last, const std::string& why) {
  if (last <= reached_) return {};
  if (!options_.accept_loss) {
    return fail(ErrorCode::not_found,
                fmt::format("the inputs {} to {} are not in History ({}); with --accept-loss the "
                            "replay goes on without them",
                            std::max(first, reached_.next()).value, last.value, why));
  }
  reached_ = last;
  return {};
}

Result<ReplayRun::End> ReplayRun::finish(std::size_t trigger) {
  auto memory = stream_->finish(trigger);
  if (!memory) return fail(memory.error());
  const std::uint64_t before = begun_ ? matched_before_[trigger] : stream_->matched(trigger);
  return End{std::move(*memory), stream_->matched(trigger) - before};
}

}  // namespace hastur
