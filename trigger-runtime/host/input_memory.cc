#include "trigger-runtime/host/input_memory.h"

#include <algorithm>
#include <cstring>

namespace hastur {

Result<std::unique_ptr<SharedInputs>> SharedInputs::make(std::size_t bytes) {
  auto file = MemoryFile::make("hastur-inputs", bytes);
  if (!file) return fail(file.error());
  // Mapped before it is sealed: this mapping is the only one that will ever write.
  auto mapping = file->map(MemoryFile::Access::write);
  if (!mapping) return fail(mapping.error());
  HASTUR_TRY(file->seal_against_writing());
  return std::unique_ptr<SharedInputs>(
      std::make_unique<InputMemory>(std::move(*file), std::move(*mapping)));
}

InputMemory::InputMemory(MemoryFile file, Mapping mapping)
    : file_(std::move(file)), mapping_(std::move(mapping)), allocator_(mapping_.size()) {}

std::optional<Region> InputMemory::place(std::string_view bytes) {
  const std::optional<Region> region = allocator_.take(bytes.size());
  if (region && !bytes.empty()) {
    std::memcpy(mapping_.data() + region->offset, bytes.data(), bytes.size());
  }
  return region;
}

std::optional<PlacedInput> InputMemory::place_input(
    const std::shared_ptr<const InputBatch>& input) {
  if (const auto found = inputs_.find(input.get()); found != inputs_.end()) {
    ++found->second.users;
    return found->second.where;
  }
  const std::optional<Region> body = place(input->batch.body);
  if (!body) return std::nullopt;
  const auto& times = input->stream_times;
  const std::optional<Region> stream_times =
      place({reinterpret_cast<const char*>(times.data()), times.size() * sizeof(times.front())});
  if (!stream_times) {
    give_back(*body);
    return std::nullopt;
  }
  const PlacedInput where{input->batch.header, *body, *stream_times};
  inputs_.emplace(input.get(), Placed{input, where, 1});
  return where;
}

void InputMemory::give_back_input(const std::shared_ptr<const InputBatch>& input) {
  const auto found = inputs_.find(input.get());
  HASTUR_CHECK(found != inputs_.end(), "a batch was given back more often than it was placed");
  if (--found->second.users != 0) return;
  give_back(found->second.where.body);
  give_back(found->second.where.stream_times);
  inputs_.erase(found);
}

void InputMemory::wait(Waiter& waiter) {
  if (std::find(waiting_.begin(), waiting_.end(), &waiter) == waiting_.end()) {
    waiting_.push_back(&waiter);
  }
}

void InputMemory::stop_waiting(const Waiter& waiter) { std::erase(waiting_, &waiter); }

void InputMemory::serve_waiters() {
  if (std::exchange(serving_, true)) return;
  while (!waiting_.empty() && waiting_.front()->room_made()) waiting_.pop_front();
  serving_ = false;
}

}  // namespace hastur
