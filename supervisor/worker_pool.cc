#include "supervisor/worker_pool.h"

#include <optional>
#include <utility>

#include "core/log.h"

namespace hastur {

WorkerPool::WorkerPool(Loop& loop, Clock& clock, Worker::Options options, Calls calls)
    : loop_(loop), clock_(clock), options_(std::move(options)), calls_(std::move(calls)) {}

Result<std::unique_ptr<WorkerPool>> WorkerPool::make(Loop& loop, Clock& clock,
                                                     Worker::Options options, Calls calls) {
  std::unique_ptr<WorkerPool> pool(
      new WorkerPool(loop, clock, std::move(options), std::move(calls)));
  auto inputs = SharedInputs::make();
  if (!inputs) return fail(inputs.error());
  pool->inputs_ = std::move(*inputs);
  return pool;
}

void WorkerPool::start(std::uint32_t slot) {
  if (slot >= slots_.size()) slots_.resize(slot + 1);
  end(slot);
  Slot& place = slots_[slot];
  auto worker = Worker::spawn(*inputs_, options_);
  if (!worker) {
    log_error("worker {} cannot be started: {}", slot, worker.error().message);
    loop_.post([this, slot, why = worker.error().message] {
      calls_.died(slot, WorkerDied{why, {}, {}, {}});
      calls_.pumped();
    });
    return;
  }
  place.worker = std::move(*worker);
  place.readable = loop_.watch_readable(place.worker->fd(), [this, slot] { pump(slot); });
}

void WorkerPool::end(std::uint32_t slot) {
  if (slot >= slots_.size()) return;
  slots_[slot].readable.reset();
  slots_[slot].worker.reset();
}

void WorkerPool::send(std::uint32_t slot, WorkerCommand command) {
  if (slot < slots_.size() && slots_[slot].worker != nullptr)
    slots_[slot].worker->send(std::move(command));
}

void WorkerPool::check_guards() {
  const Micros now = clock_.monotonic();
  for (const Slot& slot : slots_) {
    if (slot.worker != nullptr) slot.worker->check_guards(now);
  }
}

void WorkerPool::pump(std::uint32_t slot) {
  if (slots_[slot].worker == nullptr) return;
  std::optional<WorkerDied> death;
  slots_[slot].worker->pump([&](WorkerReply reply) { calls_.replied(slot, std::move(reply)); },
                            [&](WorkerDied died) { death = std::move(died); });
  if (death) {
    end(slot);
    calls_.died(slot, *death);
  }
  calls_.pumped();
}

}  // namespace hastur
