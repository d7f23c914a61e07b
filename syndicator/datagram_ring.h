#pragma once

// Datagrams on their way from the thread that receives them to the loop that numbers them.
//
// A bounded ring of bytes for one producer and one consumer, without a lock: a datagram takes as
// much room as it has bytes, and is read in place. What does not fit is refused at the door and
// counted by the producer.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/time.h"

namespace hastur {

class DatagramRing {
 public:
  struct Entry {
    // Nothing: an entry that only says that the receiver was deaf.
    std::optional<std::string_view> datagram;
    Time received_at;
    // How long nothing could be received before this.
    Micros deaf{0};
  };

  // `bytes` is raised to a power of two.
  explicit DatagramRing(std::size_t bytes);

  // Producer. False if there is no room; nothing is seen by the consumer before publish().
  bool push(const Entry& entry);
  // Returns whether the consumer waits and has to be woken.
  bool publish();

  // Consumer. The next entry, valid until release().
  std::optional<Entry> next();
  // Gives the room of all entries taken back.
  void release();
  bool is_empty() const { return read_ == published_.load(); }
  // False if something is there already; else publish() will say once that the consumer waits.
  bool wait();

  std::size_t capacity() const { return mask_ + 1; }

 private:
  struct Head {
    std::uint32_t size;
    std::uint32_t kind;
    std::int64_t received_at;
    std::int64_t deaf;
  };
  // Heads stand at multiples of 8. The place where the ring ends is passed over.
  std::uint64_t after_end(std::uint64_t place) const { return (place | mask_) + 1; }
  std::uint64_t until_end(std::uint64_t place) const { return after_end(place) - place; }

  std::uint64_t mask_;
  std::unique_ptr<char[]> bytes_;
  // Each side's own; they only grow.
  alignas(64) std::uint64_t written_ = 0;
  std::uint64_t released_seen_ = 0;
  alignas(64) std::uint64_t read_ = 0;
  alignas(64) std::atomic<std::uint64_t> published_{0};
  alignas(64) std::atomic<std::uint64_t> released_{0};
  std::atomic<bool> waits_{false};
};

}  // namespace hastur
