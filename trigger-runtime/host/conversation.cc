#include "trigger-runtime/host/conversation.h"

#include <fmt/format.h>

namespace hastur {
namespace {

// The worker's own guard ends it long before.
constexpr Micros answer_max = std::chrono::minutes{10};

}  // namespace

Result<WorkerReply> Conversation::answer_to(WorkerCommand command) {
  worker_.send(std::move(command));
  std::optional<WorkerReply> answer;
  while (!answer && !death_) {
    if (!worker_.wait(answer_max)) {
      return fail(ErrorCode::unavailable, "the worker does not answer");
    }
    worker_.pump([&](WorkerReply reply) { answer = std::move(reply); },
                 [&](WorkerDied died) { death_ = std::move(died); });
  }
  if (death_) {
    return fail(ErrorCode::unavailable, fmt::format("the worker died: {}", death_->why));
  }
  return std::move(*answer);
}

}  // namespace hastur
