#include "state/history/memory_history.h"

#include <algorithm>

#include "state/history/facts.h"

namespace hastur {
namespace {

class MemoryHistory final : public History {
 public:
  explicit MemoryHistory(const StreamId& stream) : stream_(stream) {}

  const StreamId& stream() const override { return stream_; }
  Sequence last() const override { return last_; }
  std::optional<Time> stream_time() const override { return stream_time_; }
  std::optional<Time> received_at() const override { return received_at_; }
  Sequence oldest() const override { return {1}; }

  Result<void> append(const Batch& batch, const AppendFacts& facts) override {
    check_continues(batch, stream_, last_);
    if (batch.header.count > 0) {
      const BatchTimes after = times_after(BatchView::trusted(batch.header, batch.body));
      batches_.push_back(batch);
      bytes_ += batch.body.size();
      last_ = batch.header.last();
      stream_time_ = after.stream_time;
      received_at_ = after.received_at;
    }
    facts_.take(facts);
    return {};
  }

  Result<std::optional<LostRange>> skip_behind(Sequence seen) override {
    if (seen <= last_) return std::optional<LostRange>{};
    HASTUR_TRY(check_seen(seen));
    const LostRange hole{last_.next(), seen.plus(numbers_skipped), "set_back"};
    lost_.add(hole);
    last_ = hole.last;
    return std::optional{hole};
  }

  Result<std::vector<Batch>> read(Sequence from, const ReadLimits& limits) override {
    std::vector<Batch> found;
    std::size_t bytes = 0;
    auto batch = std::ranges::lower_bound(batches_, from, {},
                                          [](const Batch& each) { return each.header.last(); });
    for (; batch != batches_.end(); ++batch) {
      if (found.size() >= std::min(limits.batches_max, 64u)) break;
      if (!found.empty() && bytes + batch->body.size() > limits.bytes_max) break;
      found.push_back(*batch);
      bytes += batch->body.size();
    }
    return found;
  }

  Result<Sequence> find(Time time) override {
    for (const Batch& batch : batches_) {
      const auto sequence = first_at(BatchView::trusted(batch.header, batch.body), time);
      if (sequence) return *sequence;
    }
    return last_.next();
  }

  Result<std::vector<LostRange>> lost(Sequence first, Sequence last) const override {
    return lost_.touching(first, last);
  }

  std::optional<DerivedMark> mark(const TriggerName& trigger) const override {
    return facts_.mark(trigger);
  }
  std::optional<std::string> hostname(const std::string& uuid) const override {
    return facts_.hostname(uuid);
  }
  std::vector<HostName> hosts() const override { return facts_.hosts(); }
  std::map<std::string, std::uint64_t> counters() const override { return facts_.counters(); }

  Result<void> save_leases(std::span<const LeaseRecord> leases) override {
    facts_.take(leases);
    return {};
  }
  std::vector<LeaseRecord> leases() const override { return facts_.leases(); }

  Result<bool> maintain(Time) override { return false; }
  Size size() const override { return {bytes_, 0, batches_.size()}; }

 private:
  StreamId stream_;
  std::vector<Batch> batches_;
  std::uint64_t bytes_ = 0;
  Sequence last_;
  std::optional<Time> stream_time_, received_at_;
  Facts facts_;
  LostRanges lost_;
};

}  // namespace

std::unique_ptr<History> make_memory_history(const StreamId& stream) {
  return std::make_unique<MemoryHistory>(stream);
}

}  // namespace hastur
