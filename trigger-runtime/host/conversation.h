#pragma once

// Asks a worker and waits for its answer: for whoever has no loop.

#include <optional>

#include "core/result.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// `worker` outlives it; nobody else sends to it.
class Conversation {
 public:
  explicit Conversation(Worker& worker) : worker_(worker) {}

  // `unavailable` once the worker has died, or does not answer: then nothing further works.
  Result<WorkerReply> answer_to(WorkerCommand command);

  // The same for a command that has one kind of answer.
  template <class Reply>
  Result<Reply> ask(WorkerCommand command) {
    Result<WorkerReply> answer = answer_to(std::move(command));
    if (!answer) return fail(answer.error());
    auto* reply = std::get_if<Reply>(&*answer);
    HASTUR_CHECK(reply != nullptr, "the host let through an answer of another kind");
    return std::move(*reply);
  }

  // How the worker died; nothing while it lives.
  const std::optional<WorkerDied>& death() const { return death_; }

 private:
  Worker& worker_;
  std::optional<WorkerDied> death_;
};

}  // namespace hastur
