#pragma once

// Generated datagrams: every type that producers send, and what nobody should. Each bears its
// number, so that it can be told where it went.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "core/fd.h"
#include "message/message.h"

namespace hastur {

// The datagram of a number. Of a hundred, three are refused: half of a JSON object, an unknown
// type, and noise. The greatest has 65,507 bytes, which is as much as UDP carries.
std::string datagram(std::uint64_t number);

// The number in a message of the stream that came of one; also of one that was refused.
std::optional<std::uint64_t> number_of(const MessageView& message);

// Sends numbers 0, 1, 2 … over UDP to a port of this machine, in its own thread, at a steady rate.
class Sender {
 public:
  explicit Sender(std::uint16_t port);
  ~Sender();

  // `count` more, or until stop() if nothing is given. Not while it sends.
  void send(std::optional<std::uint64_t> count, std::uint64_t per_second);
  // Waits until the count is reached.
  void finish();
  // Ends it at the next datagram.
  void stop();
  // Handed to the kernel.
  std::uint64_t sent() const { return sent_; }

 private:
  void run(std::uint64_t end, std::uint64_t per_second);
  void send_one(std::uint64_t number);

  Fd socket_;
  std::uint16_t port_;
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace hastur
