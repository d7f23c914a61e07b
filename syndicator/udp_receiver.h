#pragma once

// Receives datagrams on a thread of its own, so that the loop's work (a commit, a read) costs none:
// the kernel's default buffer holds under a millisecond of 300,000 datagrams a second.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/clock.h"
#include "core/fd.h"
#include "core/result.h"
#include "syndicator/datagram_ring.h"

namespace hastur {

class UdpReceiver {
 public:
  struct Options {
    // "127.0.0.1:8125", "[::1]:8125"; port 0 for any that is free.
    std::string address;
    std::size_t ring_bytes = 32u << 20;
    // Asked of the kernel, which may give less.
    int kernel_buffer_bytes = 32 << 20;
    // Not to have run for longer than this is to have been deaf.
    Micros stall_min = std::chrono::seconds{2};
  };

  // `clock` may be used by several threads and outlives the receiver. An error names the address
  // and the way out.
  static Result<std::unique_ptr<UdpReceiver>> open(const Options& options, Clock& clock);
  ~UdpReceiver();

  // What is wrong with an address as the options have it: there is no port, or no such host.
  static Result<void> check_address(const std::string& address);

  // With the port that was chosen.
  const std::string& address() const { return address_; }
  // What the kernel gave.
  int kernel_buffer_bytes() const { return kernel_buffer_bytes_; }

  // Readable when something has come after ring().wait(); clear_wake() makes it quiet again.
  int wake_fd() const { return wake_.get(); }
  void clear_wake();
  DatagramRing& ring() { return ring_; }

  // Datagrams that the kernel had no room for, and those that the ring had none for, so far.
  std::uint64_t kernel_dropped() const { return kernel_dropped_.load(); }
  std::uint64_t ring_dropped() const { return ring_dropped_.load(); }

  // Receives what the kernel still holds, as far as the ring has room, and ends the thread.
  void stop();

 private:
  UdpReceiver(const Options& options, Clock& clock, Fd socket, Fd wake);
  void run();

  class Slots;
  // Takes what the kernel has: returns false if that was nothing.
  bool receive(Slots& slots, int flags, Micros& ran_at);
  void wake();

  Options options_;
  Clock& clock_;
  Fd socket_;
  Fd wake_;
  std::string address_;
  int kernel_buffer_bytes_ = 0;
  DatagramRing ring_;
  // A stall that the ring had no room for.
  Micros deaf_{0};
  std::uint32_t overflow_seen_ = 0;
  std::atomic<std::uint64_t> kernel_dropped_{0};
  std::atomic<std::uint64_t> ring_dropped_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hastur
