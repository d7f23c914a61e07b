#pragma once

// ctx:window of a span of time, in slots.
//
// A span that ends at `now` covers the slots from floor((now - span) / slot) to the present one: at
// a border of slots it is the span itself (if that is a multiple of the slot), in between up to one
// slot more. The window keeps what its whole span covers.
//
// State of a key: {"h":slot,"n":[…],"s":[…]}: the number of its newest slot (time / slot width),
// and of each slot from its oldest to that one the count and the sum; only if the script asks for
// them "hi" and "lo" (null of an empty slot), "q" (squared distances from the slot's mean) and "d"
// (the sketch: bucket, weight, bucket, weight, …). Slots that are too old are as if they were not
// there.

#include "trigger-runtime/vm/helpers/sketch.h"
#include "trigger-runtime/vm/helpers/window.h"

namespace hastur {

class SpanWindow final : public Window {
 public:
  struct Options {
    Micros span{0};
    Micros slot{0};
  };
  static constexpr std::int64_t slots_max = 1'000;

  // span / slot is at most slots_max.
  SpanWindow(std::string name, const Options& options);

  const Options& options() const { return options_; }
  // The width of the slots in the state that will be read: that of whoever wrote it.
  void set_stored_slot(Micros slot) { stored_slot_ = slot; }

  Added add(std::string_view key, double value, double weight, Time at, Time now) override;
  Summary summary(std::uint32_t id, std::optional<Micros> sub, Time now) const override;
  std::optional<double> percentile(std::uint32_t id, double percent, std::optional<Micros> sub,
                                   Time now) const override;
  // How long the span that ends now is as it is covered: from the beginning of its first slot.
  Micros covered(std::optional<Micros> sub, Time now) const;
  // Where the line through the means of the slots (least squares) is at now + ahead; nothing unless
  // the values go back over half the span.
  std::optional<double> predict(std::uint32_t id, Micros ahead, Time now) const;

  void clear() override;
  void settle(Time now) override;
  bool write(std::uint32_t id, std::string& out) const override;
  std::size_t bytes() const override;
  std::size_t parts() const override { return static_cast<std::size_t>(slots_); }

 private:
  struct Cell {
    double count = 0;
    double sum = 0;
  };
  struct Spread {
    double squares = 0;
    double lowest = std::numeric_limits<double>::infinity();
    double highest = -std::numeric_limits<double>::infinity();
  };
  // From the oldest slot to the newest; spreads and sketches are empty unless they are kept.
  struct Series {
    std::int64_t newest = 0;
    std::vector<Cell> cells;
    std::vector<Spread> spreads;
    std::vector<Sketch> sketches;
    std::int64_t oldest() const { return newest - static_cast<std::int64_t>(cells.size()) + 1; }
  };

  void fetch_value(std::uint32_t id) const override { __builtin_prefetch(&series_[id], 1); }
  bool read_key(std::string_view key, JsonCursor& in, Time now) override;
  void forget_series(std::uint32_t id) override;
  bool keeps_spread() const { return kept_.squares || kept_.extremes; }
  std::int64_t slot_of(Time time) const;
  std::int64_t first_slot(std::optional<Micros> sub, Time now) const;
  std::uint32_t make(std::string_view key);
  std::size_t place(Series& series, std::int64_t slot, std::int64_t first);
  void fill(Series& series, std::size_t before, std::size_t after) const;
  void cut(Series& series, std::size_t before, std::size_t after) const;
  Summary part(const Series& series, std::size_t at) const;
  void put(Series& series, std::size_t at, const Summary& part) const;
  static std::size_t bytes_of(const Series& series);

  Options options_;
  Micros stored_slot_;
  std::int64_t slots_;
  std::vector<Series> series_;
  std::size_t series_bytes_ = 0;
};

}  // namespace hastur
