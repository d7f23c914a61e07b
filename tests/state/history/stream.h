#pragma once

// Writes a stream of host metrics into a History and reads Histories back message by message.

#include <gtest/gtest.h>

#include <vector>

#include "state/history/history.h"
#include "tests/state/history/host_metrics.h"

namespace hastur::testing {

// Keeps what it has written, so that it can be compared.
class StreamWriter {
 public:
  explicit StreamWriter(std::uint64_t seed = 1) : metrics_(seed) {}

  // The next batch of `seconds` of one host. It is not taken back if the append fails.
  Batch next(const History& history, int seconds = 1) {
    BatchBuilder builder;
    for (int i = 0; i < seconds; ++i) metrics_.add_second(builder);
    return builder.finish(history.stream(), history.last().next(),
                          history.stream_time().value_or(Time{}));
  }

  // Appends that many batches of one second, and fails the test if one is not taken.
  void write(History& history, int batches, const AppendFacts& facts = {}) {
    for (int i = 0; i < batches; ++i) {
      const Batch batch = next(history);
      const auto appended = history.append(batch, facts);
      ASSERT_TRUE(appended) << appended.error().message;
      written_.push_back(batch);
    }
  }

  Time now() const { return metrics_.now(); }
  const std::vector<Batch>& written() const { return written_; }
  std::vector<Batch>& written() { return written_; }

 private:
  HostMetrics metrics_;
  std::vector<Batch> written_;
};

struct Numbered {
  Sequence sequence;
  Message message;
  friend bool operator==(const Numbered&, const Numbered&) = default;
};

inline void unpack(const Batch& batch, std::vector<Numbered>& out) {
  const auto view = BatchView::open(batch.header, batch.body);
  ASSERT_TRUE(view) << view.error().message;
  std::vector<Label> scratch;
  for (std::uint32_t row = 0; row < view->count(); ++row) {
    out.push_back({view->sequence(row), Message(view->message(row, scratch))});
  }
}

inline std::vector<Numbered> unpack(const std::vector<Batch>& batches) {
  std::vector<Numbered> all;
  for (const Batch& batch : batches) unpack(batch, all);
  return all;
}

// Every batch from `from` on, read in as many calls as it takes.
inline std::vector<Batch> read_all(History& history, Sequence from = {1},
                                   const History::ReadLimits& limits = {}) {
  std::vector<Batch> all;
  while (true) {
    auto read = history.read(from, limits);
    if (!read) {
      ADD_FAILURE() << read.error().message;
      return all;
    }
    if (read->empty()) return all;
    from = read->back().header.last().next();
    for (Batch& batch : *read) all.push_back(std::move(batch));
  }
}

// The histories hold the same messages under the same numbers.
inline void expect_holds(History& history, const std::vector<Batch>& batches) {
  const auto held = unpack(read_all(history)), wanted = unpack(batches);
  ASSERT_EQ(held.size(), wanted.size());
  for (std::size_t i = 0; i < held.size(); ++i) {
    ASSERT_EQ(held[i].sequence, wanted[i].sequence);
    ASSERT_TRUE(held[i].message == wanted[i].message) << held[i].sequence.value;
  }
}

}  // namespace hastur::testing
