#pragma once

// ctx:window of the last N values of each key.
//
// State of a key: {"i":17,"v":[…]}: how many values it had altogether, and the last of them, oldest
// first.

#include "trigger-runtime/vm/helpers/window.h"

namespace hastur {

class LastWindow final : public Window {
 public:
  static constexpr std::uint32_t last_max = 100'000;
  // Of larger values, added or squared, nothing finite can be said.
  static constexpr double value_max = 1e150;

  LastWindow(std::string name, std::uint32_t last) : Window(std::move(name)), last_(last) {}

  // The weight is 1; times mean nothing.
  Added add(std::string_view key, double value, double weight, Time at, Time now) override;
  Summary summary(std::uint32_t id, std::optional<Micros> sub, Time now) const override;
  std::optional<double> percentile(std::uint32_t id, double percent, std::optional<Micros> sub,
                                   Time now) const override;
  // Whether there are N.
  bool is_full(std::uint32_t id) const { return series_[id].values.size() == last_; }

  void clear() override;
  bool write(std::uint32_t id, std::string& out) const override;
  std::size_t bytes() const override;
  std::size_t parts() const override { return last_; }

 private:
  struct Series {
    std::uint64_t added = 0;
    // A ring, once it is full: the oldest stands at `begin`.
    std::vector<double> values;
    std::size_t begin = 0;
  };

  void fetch_value(std::uint32_t id) const override { __builtin_prefetch(&series_[id], 1); }
  bool read_key(std::string_view key, JsonCursor& in, Time now) override;
  void forget_series(std::uint32_t id) override;
  Series& make(std::string_view key);
  void push(Series& series, double value);

  std::uint32_t last_;
  std::vector<Series> series_;
  std::size_t series_bytes_ = 0;
};

}  // namespace hastur
