#pragma once

// A History in memory that can be told to fail.

#include <memory>
#include <optional>

#include "state/history/memory_history.h"

namespace hastur {

class FaultyHistory final : public History {
 public:
  explicit FaultyHistory(const StreamId& stream) : inner_(make_memory_history(stream)) {}

  void fails_with(ErrorCode code) { failure_ = Error{code, "the disk is full"}; }
  void works_again() { failure_.reset(); }
  void has_lost(const LostRange& range) { lost_.push_back(range); }
  int attempts() const { return attempts_; }

  const StreamId& stream() const override { return inner_->stream(); }
  Sequence last() const override { return inner_->last(); }
  std::optional<Time> stream_time() const override { return inner_->stream_time(); }
  std::optional<Time> received_at() const override { return inner_->received_at(); }
  Sequence oldest() const override { return inner_->oldest(); }
  Result<void> append(const Batch& batch, const AppendFacts& facts) override {
    ++attempts_;
    if (failure_) return fail(*failure_);
    return inner_->append(batch, facts);
  }
  Result<std::optional<LostRange>> skip_behind(Sequence seen) override {
    if (failure_) return fail(*failure_);
    return inner_->skip_behind(seen);
  }
  // Leaves out the batches that touch what is lost.
  Result<std::vector<Batch>> read(Sequence from, const ReadLimits& limits) override {
    auto batches = inner_->read(from, limits);
    if (!batches) return batches;
    while (true) {
      std::erase_if(*batches, [this](const Batch& batch) {
        for (const LostRange& range : lost_) {
          if (batch.header.first <= range.last && batch.header.last() >= range.first) return true;
        }
        return false;
      });
      if (!batches->empty() || from > last()) return batches;
      from = from.next();
      batches = inner_->read(from, limits);
      if (!batches) return batches;
    }
  }
  Result<Sequence> find(Time time) override { return inner_->find(time); }
  Result<std::vector<LostRange>> lost(Sequence first, Sequence last) const override {
    auto known = inner_->lost(first, last);
    if (!known) return known;
    std::vector<LostRange> touching = std::move(*known);
    for (const LostRange& range : lost_) {
      if (range.first <= last && range.last >= first) touching.push_back(range);
    }
    return touching;
  }
  std::optional<DerivedMark> mark(const TriggerName& trigger) const override {
    return inner_->mark(trigger);
  }
  std::optional<std::string> hostname(const std::string& uuid) const override {
    return inner_->hostname(uuid);
  }
  std::vector<HostName> hosts() const override { return inner_->hosts(); }
  std::map<std::string, std::uint64_t> counters() const override { return inner_->counters(); }
  Result<void> save_leases(std::span<const LeaseRecord> leases) override {
    if (failure_) return fail(*failure_);
    return inner_->save_leases(leases);
  }
  std::vector<LeaseRecord> leases() const override { return inner_->leases(); }
  Result<bool> maintain(Time now) override { return inner_->maintain(now); }
  Size size() const override { return inner_->size(); }

 private:
  std::unique_ptr<History> inner_;
  std::optional<Error> failure_;
  std::vector<LostRange> lost_;
  int attempts_ = 0;
};

}  // namespace hastur
