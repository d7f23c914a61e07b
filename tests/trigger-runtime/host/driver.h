#pragma once

// Drives a Worker in tests: collects what it says, makes batches without messages.

#include <memory>
#include <string>
#include <vector>

#include "core/check.h"
#include "trigger-runtime/host/worker.h"

namespace hastur::testing {

// A program that lies beside this one.
inline std::string beside_us(const std::string& name) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  const std::string ours(path, static_cast<std::size_t>(length));
  return ours.substr(0, ours.rfind('/') + 1) + name;
}

// `body` is no batch: fake workers do not look at it.
inline std::shared_ptr<const InputBatch> numbered_input(std::uint64_t first, std::uint32_t count,
                                                        std::string body = std::string(64, 'b')) {
  auto input = std::make_shared<InputBatch>();
  input->batch.header.first = {first};
  input->batch.header.count = count;
  input->batch.body = std::move(body);
  for (std::uint32_t row = 0; row < count; ++row) {
    input->stream_times.push_back(static_cast<std::int64_t>(first + row) * 1000);
  }
  return input;
}

// A feed of all rows, with a match in each.
inline TriggerFeed full_feed(std::uint32_t handle, std::uint32_t count) {
  TriggerFeed feed{{handle}, 0, count, {}, {}};
  for (std::uint32_t row = 0; row < count; ++row) feed.matches.push_back({row, 0});
  return feed;
}

inline LoadCommand load_of(std::uint32_t handle, std::string script) {
  LoadCommand load;
  load.handle = {handle};
  load.name = "test";
  load.run = {1};
  load.script = {"test.lua", std::move(script)};
  return load;
}

class Driver {
 public:
  explicit Driver(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}

  Worker& worker() { return *worker_; }

  // Pumps until so many replies are there, or the worker is dead.
  void run_until(std::size_t replies) {
    while (replies_.size() < replies && !death_) {
      HASTUR_CHECK(pump_within(std::chrono::seconds{60}), "the worker does not answer");
    }
  }
  // False if nothing came.
  bool pump_within(Micros limit) {
    if (!worker_->wait(limit)) return false;
    worker_->pump([this](WorkerReply reply) { replies_.push_back(std::move(reply)); },
                  [this](WorkerDied died) { death_ = std::move(died); });
    return true;
  }
  void run_until_dead() { run_until(SIZE_MAX); }

  const std::vector<WorkerReply>& replies() const { return replies_; }
  const std::optional<WorkerDied>& death() const { return death_; }

 private:
  std::unique_ptr<Worker> worker_;
  std::vector<WorkerReply> replies_;
  std::optional<WorkerDied> death_;
};

}  // namespace hastur::testing
