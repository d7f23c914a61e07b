#pragma once

// Triggers running through a part of the stream again, in a worker of their own.

#include <functional>
#include <memory>
#include <vector>

#include "core/result.h"
#include "supervisor/replay/plan.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"

namespace hastur {

class ReplayRun {
 public:
  struct Options {
    Worker::Options worker;
    // Goes on after a range that History has lost; else that is an error.
    bool accept_loss = false;
    // The batches come from a file, where derived messages do not stand.
    bool derived_come_back = false;
  };

  // Starts the worker and loads all triggers; what a script did wrong is an error. `listener`
  // outlives the run.
  static Result<std::unique_ptr<ReplayRun>> begin(const ReplayPlan& plan, StreamListener& listener,
                                                  const Options& options);

  // What lies outside (plan.after, through] is left out.
  Result<void> take(Batch batch, std::optional<Sequence> through);
  // Says what would be needed to go on after it.
  Result<void> lose(Sequence first, Sequence last, const std::string& why);
  // All inputs up to here have been taken.
  Sequence reached() const { return reached_; }

  // What ctx:migrate made of the state that it began with, if it had to.
  std::optional<std::string> migrated(std::size_t trigger) const {
    return stream_->loaded(trigger).migrated;
  }

  struct End {
    Memory memory;
    // From plan.begin on.
    std::uint64_t matched = 0;
  };
  // Once for each trigger, when nothing more comes.
  Result<End> finish(std::size_t trigger);
  // Messages from plan.begin on, ticks left out.
  std::uint64_t messages() const { return messages_; }

 private:
  explicit ReplayRun(const ReplayPlan& plan, const Options& options)
      : options_(options), begin_(plan.begin), reached_(plan.after) {}
  Result<void> feed(Batch batch);

  Options options_;
  std::unique_ptr<SharedInputs> inputs_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<StreamRun> stream_;
  Sequence begin_;
  Sequence reached_;
  bool begun_ = false;
  std::uint64_t messages_ = 0;
  std::vector<std::uint64_t> matched_before_;
};

}  // namespace hastur
