#pragma once

// A worker's side of the protocol: commands in, replies out, and the status page. No VM in it.

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "trigger-runtime/protocol/encoding.h"
#include "trigger-runtime/protocol/status_page.h"

namespace hastur {

class Channel {
 public:
  struct Received {
    std::uint64_t number = 0;
    ReceivedCommand command;
  };

  // Maps the memories that stand at the agreed descriptors (protocol/descriptors.h). An error means
  // that this process was not started by a parent of ours.
  static Result<std::unique_ptr<Channel>> open();

  // Blocks until a command comes; nothing when the parent has closed the channel.
  Result<std::optional<Received>> receive();

  // Blocks until there is room in the output memory for the reply, then sends it. An error: it is
  // larger than that memory, or the parent is gone.
  Result<void> reply(std::uint64_t number, const WorkerReply& reply);
  Result<void> say_hello(const Hello& hello);

  // The bytes of a region of the input memory, which stay until the command that named it is
  // answered; nothing if it lies outside.
  std::optional<std::string_view> input(const Region& region) const;

  // What this worker is doing, for the parent to see.
  void begin(std::uint32_t handle, std::uint64_t sequence, std::uint32_t callback);

 private:
  struct Sent {
    std::uint64_t number;
    Region where;
  };

  Channel(std::string_view inputs, std::byte* output, std::size_t output_bytes);

  Result<bool> receive_notice();
  // The parent has copied the replies up to this one.
  Result<void> forget_sent(std::uint64_t taken);
  // Room after the last reply that the parent has not taken yet, or from the start again.
  std::optional<std::uint64_t> room_for(std::uint64_t bytes) const;
  Result<void> send(const WorkerNotice& notice);

  std::string_view inputs_;
  std::byte* output_;
  std::uint64_t output_bytes_;
  StatusPage* status_;
  // Not taken by the parent yet; oldest first.
  std::deque<Sent> sent_;
  std::uint64_t last_sent_ = 0;
  std::deque<CommandNotice> commands_;
  std::string scratch_;
};

}  // namespace hastur
