#pragma once

// Which rows of the outbox are not acknowledged yet, in the order in which they leave.
//
// A message is acknowledged here at once; its row goes with the next commit, which asks for
// removed().

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "message/ids.h"

namespace hastur {

class OutboxIndex {
 public:
  struct Row {
    // Rises with the order of leaving.
    std::uint64_t id = 0;
    // TriggerHead::number.
    std::uint64_t trigger = 0;
    Run run;
    Sequence sequence;
    std::uint32_t ordinal = 0;
  };

  // The id of the next row; after every other.
  std::uint64_t next_id() const { return next_id_; }
  void append(const Row& row);
  void acknowledge(std::uint64_t trigger, Run run, Sequence sequence, std::uint32_t ordinal);

  // How many are not acknowledged.
  std::size_t size() const { return size_; }
  // Ids of those not acknowledged, without the first `skip`, at most `max`.
  std::vector<std::uint64_t> ids(std::size_t skip, std::size_t max) const;

  // Acknowledged rows that are still in the file.
  const std::vector<std::uint64_t>& removed() const { return removed_; }
  // They are not any more.
  void forget_removed() { removed_.clear(); }

 private:
  struct Entry {
    std::uint64_t id = 0;
    bool acknowledged = false;
  };
  void compact();

  std::deque<Entry> entries_;
  std::unordered_map<std::uint64_t, std::deque<Row>> by_trigger_;
  std::vector<std::uint64_t> removed_;
  std::size_t size_ = 0;
  std::uint64_t next_id_ = 1;
};

}  // namespace hastur
