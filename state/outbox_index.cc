#include "state/outbox_index.h"

#include <algorithm>
#include <tuple>

#include "core/check.h"

namespace hastur {

void OutboxIndex::append(const Row& row) {
  HASTUR_CHECK(row.id >= next_id_, "rows of the outbox come in the order of their ids");
  next_id_ = row.id + 1;
  entries_.push_back({row.id, false});
  by_trigger_[row.trigger].push_back(row);
  ++size_;
}

void OutboxIndex::acknowledge(std::uint64_t trigger, Run run, Sequence sequence,
                              std::uint32_t ordinal) {
  const auto found = by_trigger_.find(trigger);
  if (found == by_trigger_.end()) return;
  std::deque<Row>& rows = found->second;
  while (!rows.empty() && std::tie(rows.front().run, rows.front().sequence, rows.front().ordinal) <=
                              std::tie(run, sequence, ordinal)) {
    const std::uint64_t id = rows.front().id;
    const auto entry =
        std::lower_bound(entries_.begin(), entries_.end(), id,
                         [](const Entry& at, std::uint64_t to) { return at.id < to; });
    HASTUR_CHECK(entry != entries_.end() && entry->id == id, "every row of the outbox is indexed");
    entry->acknowledged = true;
    removed_.push_back(id);
    rows.pop_front();
    --size_;
  }
  if (rows.empty()) by_trigger_.erase(found);
  compact();
}

std::vector<std::uint64_t> OutboxIndex::ids(std::size_t skip, std::size_t max) const {
  std::vector<std::uint64_t> found;
  if (skip >= size_) return found;
  found.reserve(std::min(max, size_ - skip));
  for (const Entry& entry : entries_) {
    if (found.size() == max) break;
    if (entry.acknowledged) continue;
    if (skip > 0) {
      --skip;
    } else {
      found.push_back(entry.id);
    }
  }
  return found;
}

void OutboxIndex::compact() {
  while (!entries_.empty() && entries_.front().acknowledged) entries_.pop_front();
  // One that is never acknowledged must not hold the others' entries.
  if (entries_.size() > 1'024 && entries_.size() > 2 * size_) {
    std::erase_if(entries_, [](const Entry& entry) { return entry.acknowledged; });
  }
}

}  // namespace hastur
