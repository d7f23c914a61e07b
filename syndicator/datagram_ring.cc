#include "syndicator/datagram_ring.h"

#include <bit>
#include <cstring>

namespace hastur {
namespace {

enum Kind : std::uint32_t { datagram = 1, deaf_only = 2, to_the_start = 3 };

std::uint64_t rounded(std::uint64_t bytes) { return (bytes + 7) & ~std::uint64_t{7}; }

}  // namespace

DatagramRing::DatagramRing(std::size_t bytes)
    : mask_(std::bit_ceil(bytes) - 1), bytes_(new char[mask_ + 1]) {}

bool DatagramRing::push(const Entry& entry) {
  const std::string_view text = entry.datagram.value_or(std::string_view());
  const std::uint64_t need = rounded(sizeof(Head) + text.size());
  std::uint64_t place = written_;
  // An entry is not split: what is left before the end is passed over.
  const bool wraps = until_end(place) < need;
  if (wraps) place = after_end(place);
  if (place + need - released_seen_ > capacity()) {
    released_seen_ = released_.load(std::memory_order_acquire);
    if (place + need - released_seen_ > capacity()) return false;
  }
  if (wraps && until_end(written_) >= sizeof(Head)) {
    const Head head{0, to_the_start, 0, 0};
    std::memcpy(&bytes_[written_ & mask_], &head, sizeof head);
  }
  const Head head{static_cast<std::uint32_t>(text.size()), entry.datagram ? datagram : deaf_only,
                  to_us(entry.received_at), entry.deaf.count()};
  char* const at = &bytes_[place & mask_];
  std::memcpy(at, &head, sizeof head);
  if (!text.empty()) std::memcpy(at + sizeof head, text.data(), text.size());
  written_ = place + need;
  return true;
}

bool DatagramRing::publish() {
  // Both sides write their own and then look at the other's, in one order for all: one of them sees
  // the other.
  published_.store(written_);
  return waits_.load() && waits_.exchange(false);
}

std::optional<DatagramRing::Entry> DatagramRing::next() {
  if (is_empty()) return std::nullopt;
  Head head{};
  if (until_end(read_) >= sizeof head) std::memcpy(&head, &bytes_[read_ & mask_], sizeof head);
  if (until_end(read_) < sizeof head || head.kind == to_the_start) {
    read_ = after_end(read_);
    std::memcpy(&head, &bytes_[read_ & mask_], sizeof head);
  }
  Entry entry;
  entry.received_at = time_from_us(head.received_at);
  entry.deaf = Micros{head.deaf};
  if (head.kind == datagram) {
    entry.datagram = std::string_view(&bytes_[(read_ & mask_) + sizeof head], head.size);
  }
  read_ += rounded(sizeof head + head.size);
  return entry;
}

void DatagramRing::release() { released_.store(read_, std::memory_order_release); }

bool DatagramRing::wait() {
  waits_.store(true);
  if (is_empty()) return true;
  waits_.store(false);
  return false;
}

}  // namespace hastur
