#include "trigger-runtime/vm/helpers/span_window.h"

#include <fmt/format.h>

#include "core/check.h"
#include "core/number.h"
#include "trigger-runtime/vm/helpers/large_allocator.h"

namespace hastur {
namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool is_finite(const Summary& part) {
  return std::isfinite(part.count) && std::isfinite(part.sum) && std::isfinite(part.squares);
}

// "name":[…] of what `number` gives for each of `count` slots; null for what is infinite.
template <class Number>
void append_list(std::string& out, std::string_view name, std::size_t count, Number number) {
  out += name;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    if (const double value = number(i); std::isfinite(value)) {
      append_number(out, value);
    } else {
      out += "null";
    }
  }
  out += ']';
}

}  // namespace

SpanWindow::SpanWindow(std::string name, const Options& options)
    : Window(std::move(name)),
      options_(options),
      stored_slot_(options.slot),
      slots_((options.span + options.slot - Micros{1}) / options.slot + 1) {
  HASTUR_CHECK(slots_ > 1 && slots_ <= slots_max + 1, "a window has too many slots");
}

std::int64_t SpanWindow::slot_of(Time time) const {
  return floor_divide(to_us(time), options_.slot.count());
}

std::int64_t SpanWindow::first_slot(std::optional<Micros> sub, Time now) const {
  return slot_of(now - sub.value_or(options_.span));
}

Micros SpanWindow::covered(std::optional<Micros> sub, Time now) const {
  return now - time_from_us(first_slot(sub, now) * options_.slot.count());
}

std::uint32_t SpanWindow::make(std::string_view key) {
  std::uint32_t id = keys().find(key);
  if (id == KeyTable::none) {
    id = keys().add(key);
    if (series_.size() <= id) series_.resize(keys().ids_end());
  }
  return id;
}

// So many empty slots more at both ends.
void SpanWindow::fill(Series& series, std::size_t before, std::size_t after) const {
  const auto widen = [&](auto& list) {
    list.insert(list.begin(), before, {});
    list.resize(list.size() + after);
  };
  widen(series.cells);
  if (keeps_spread()) widen(series.spreads);
  if (kept_.sketch) widen(series.sketches);
  series.newest += static_cast<std::int64_t>(after);
}

void SpanWindow::cut(Series& series, std::size_t before, std::size_t after) const {
  const auto narrow = [&](auto& list) {
    if (list.empty()) return;
    list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(before));
    list.erase(list.end() - static_cast<std::ptrdiff_t>(after), list.end());
  };
  narrow(series.cells);
  narrow(series.spreads);
  narrow(series.sketches);
  series.newest -= static_cast<std::int64_t>(after);
}

// Where the slot stands, which is not before `first`; what is before that goes.
std::size_t SpanWindow::place(Series& series, std::int64_t slot, std::int64_t first) {
  if (const std::int64_t old = first - series.oldest(); old > 0)
    cut(series, std::min(static_cast<std::size_t>(old), series.cells.size()), 0);
  if (series.cells.empty()) {
    series.newest = slot - 1;
    fill(series, 0, 1);
  } else if (slot > series.newest) {
    fill(series, 0, static_cast<std::size_t>(slot - series.newest));
  } else if (slot < series.oldest()) {
    fill(series, static_cast<std::size_t>(series.oldest() - slot), 0);
  }
  return static_cast<std::size_t>(slot - series.oldest());
}

Summary SpanWindow::part(const Series& series, std::size_t at) const {
  Summary part;
  part.count = series.cells[at].count;
  part.sum = series.cells[at].sum;
  if (!series.spreads.empty()) {
    part.squares = series.spreads[at].squares;
    part.lowest = series.spreads[at].lowest;
    part.highest = series.spreads[at].highest;
  }
  return part;
}

void SpanWindow::put(Series& series, std::size_t at, const Summary& part) const {
  series.cells[at] = {part.count, part.sum};
  if (keeps_spread()) series.spreads[at] = {part.squares, part.lowest, part.highest};
}

Window::Added SpanWindow::add(std::string_view key, double value, double weight, Time at,
                              Time now) {
  const std::int64_t slot = slot_of(std::min(at, now));
  const std::int64_t first = first_slot(std::nullopt, now);
  if (slot < first) {
    ++dropped_;
    return Added::too_old;
  }
  Series& series = series_[make(key)];
  series_bytes_ -= bytes_of(series);
  const std::size_t place = this->place(series, slot, first);
  Summary sum = part(series, place);
  sum.add(value, weight);
  const bool fits = is_finite(sum);
  if (fits) {
    put(series, place, sum);
    if (kept_.sketch) series.sketches[place].add(Sketch::bucket_of(value), weight);
  }
  series_bytes_ += bytes_of(series);
  return fits ? Added::taken : Added::too_large;
}

Summary SpanWindow::summary(std::uint32_t id, std::optional<Micros> sub, Time now) const {
  const Series& series = series_[id];
  const std::int64_t first = first_slot(sub, now) - series.oldest();
  Summary sum;
  for (auto i = static_cast<std::size_t>(std::max<std::int64_t>(first, 0)); i < series.cells.size();
       ++i) {
    sum.add(part(series, i));
  }
  return sum;
}

std::optional<double> SpanWindow::percentile(std::uint32_t id, double percent,
                                             std::optional<Micros> sub, Time now) const {
  const Series& series = series_[id];
  const std::int64_t first = first_slot(sub, now) - series.oldest();
  Sketch sum;
  for (auto i = static_cast<std::size_t>(std::max<std::int64_t>(first, 0));
       i < series.sketches.size(); ++i) {
    sum.add(series.sketches[i]);
  }
  return sum.percentile(percent);
}

std::optional<double> SpanWindow::predict(std::uint32_t id, Micros ahead, Time now) const {
  const Series& series = series_[id];
  const std::int64_t present = slot_of(now);
  const std::int64_t first = first_slot(std::nullopt, now);
  // Slots count from the present one, so that all numbers are small; a mean stands in the middle of
  // its slot.
  double count = 0;
  double x_sum = 0;
  double y_sum = 0;
  std::int64_t oldest = present + 1;
  const auto each = [&](auto take) {
    for (std::size_t i = 0; i < series.cells.size(); ++i) {
      const std::int64_t slot = series.oldest() + static_cast<std::int64_t>(i);
      if (slot < first || series.cells[i].count == 0) continue;
      take(slot, static_cast<double>(slot - present), series.cells[i].sum / series.cells[i].count);
    }
  };
  each([&](std::int64_t slot, double x, double y) {
    oldest = std::min(oldest, slot);
    ++count;
    x_sum += x;
    y_sum += y;
  });
  const std::int64_t width = options_.slot.count();
  if (count < 2 || 2 * (to_us(now) - oldest * width) < options_.span.count()) return std::nullopt;
  const double x_mean = x_sum / count;
  const double y_mean = y_sum / count;
  double spread = 0;
  double together = 0;
  each([&](std::int64_t, double x, double y) {
    spread += (x - x_mean) * (x - x_mean);
    together += (x - x_mean) * (y - y_mean);
  });
  const double target = static_cast<double>(to_us(now) - present * width + ahead.count()) /
                            static_cast<double>(width) -
                        0.5;
  const double value = y_mean + together / spread * (target - x_mean);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void SpanWindow::forget_series(std::uint32_t id) {
  series_bytes_ -= bytes_of(series_[id]);
  series_[id] = {};
}

void SpanWindow::clear() {
  Helper::clear();
  release(series_);
  series_bytes_ = 0;
}

void SpanWindow::settle(Time now) {
  const std::int64_t first = first_slot(std::nullopt, now);
  for (std::uint32_t id = 0; id < keys().ids_end(); ++id) {
    if (!keys().holds(id)) continue;
    Series& series = series_[id];
    const std::size_t size = series.cells.size();
    std::size_t begin = 0;
    while (begin < size && (series.oldest() + static_cast<std::int64_t>(begin) < first ||
                            series.cells[begin].count == 0)) {
      ++begin;
    }
    if (begin == size) {
      drop(id);
      continue;
    }
    std::size_t after = 0;
    while (series.cells[size - 1 - after].count == 0) ++after;
    if (begin == 0 && after == 0) continue;
    series_bytes_ -= bytes_of(series);
    cut(series, begin, after);
    series_bytes_ += bytes_of(series);
  }
}

bool SpanWindow::write(std::uint32_t id, std::string& out) const {
  const Series& series = series_[id];
  const std::size_t size = series.cells.size();
  out += '{';
  if (kept_.sketch) {
    out += "\"d\":[";
    for (std::size_t i = 0; i < size; ++i) {
      out += i > 0 ? ",[" : "[";
      bool first = true;
      for (const auto& [bucket, weight] : series.sketches[i].buckets()) {
        out += fmt::format("{}{},", first ? "" : ",", bucket);
        append_number(out, weight);
        first = false;
      }
      out += ']';
    }
    out += "],";
  }
  out += fmt::format("\"h\":{}", series.newest);
  if (kept_.extremes) {
    append_list(out, ",\"hi\":[", size, [&](std::size_t i) { return series.spreads[i].highest; });
    append_list(out, ",\"lo\":[", size, [&](std::size_t i) { return series.spreads[i].lowest; });
  }
  append_list(out, ",\"n\":[", size, [&](std::size_t i) { return series.cells[i].count; });
  if (kept_.squares) {
    append_list(out, ",\"q\":[", size, [&](std::size_t i) { return series.spreads[i].squares; });
  }
  append_list(out, ",\"s\":[", size, [&](std::size_t i) { return series.cells[i].sum; });
  out += '}';
  return true;
}

bool SpanWindow::read_key(std::string_view key, JsonCursor& in, Time now) {
  std::optional<std::int64_t> newest;
  std::vector<double> counts, sums, highest, lowest, squares;
  std::vector<Sketch> sketches;
  constexpr double absent = std::numeric_limits<double>::infinity();
  const auto numbers = [&](std::vector<double>& list) {
    return in.list([&] {
      const bool null = in.take("null");
      const std::optional<double> number = null ? absent : in.number();
      if (number) list.push_back(*number);
      return number.has_value();
    });
  };
  const auto sketch = [&] {
    Sketch& one = sketches.emplace_back();
    return in.list([&] {
      const std::optional<std::int64_t> bucket = in.whole();
      if (!bucket || *bucket < 0 || *bucket >= Sketch::bucket_end || !in.take(',')) return false;
      const std::optional<double> weight = in.number();
      if (!weight || *weight <= 0) return false;
      one.add(static_cast<std::uint32_t>(*bucket), *weight);
      return true;
    });
  };
  const bool read = in.object([&](std::string_view field) {
    if (field == "h") return (newest = in.whole()).has_value();
    if (field == "n") return numbers(counts);
    if (field == "s") return numbers(sums);
    if (field == "hi") return numbers(highest);
    if (field == "lo") return numbers(lowest);
    if (field == "q") return numbers(squares);
    return field == "d" && in.list(sketch);
  });
  const std::size_t size = counts.size();
  const auto fits = [size](const auto& list) { return list.empty() || list.size() == size; };
  if (!read || !newest || std::abs(*newest) > INT64_MAX / stored_slot_.count() - slots_max ||
      size > slots_max + 1 || sums.size() != size || !fits(highest) || !fits(lowest) ||
      !fits(squares) || !fits(sketches))
    return false;

  Series& series = series_[make(key)];
  const std::int64_t first = first_slot(std::nullopt, now);
  // Slots of another width go where their middle lies.
  const std::int64_t width = stored_slot_.count();
  const std::int64_t middle = stored_slot_ == options_.slot ? 0 : width / 2;
  for (std::size_t i = 0; i < size; ++i) {
    Summary part;
    part.count = counts[i];
    part.sum = sums[i];
    if (!std::isfinite(part.count) || !std::isfinite(part.sum) || part.count < 0) return false;
    if (part.count == 0) continue;
    const std::int64_t stored = *newest - static_cast<std::int64_t>(size - 1 - i);
    // The middle of the newest may be yet to come.
    const std::int64_t slot =
        std::min(floor_divide(stored * width + middle, options_.slot.count()), slot_of(now));
    if (slot < first) continue;
    // What the writer did not keep is taken as if each value had been the mean.
    const double mean = part.sum / part.count;
    part.squares = squares.empty() || !std::isfinite(squares[i]) ? 0 : squares[i];
    part.lowest = lowest.empty() || !std::isfinite(lowest[i]) ? mean : lowest[i];
    part.highest = highest.empty() || !std::isfinite(highest[i]) ? mean : highest[i];
    const std::size_t at = place(series, slot, first);
    Summary sum = this->part(series, at);
    sum.add(part);
    if (!is_finite(sum)) return false;
    put(series, at, sum);
    if (!kept_.sketch) continue;
    if (sketches.empty()) {
      series.sketches[at].add(Sketch::bucket_of(mean), part.count);
    } else {
      series.sketches[at].add(sketches[i]);
    }
  }
  series_bytes_ += bytes_of(series);
  return true;
}

std::size_t SpanWindow::bytes_of(const Series& series) {
  std::size_t sum = series.cells.capacity() * sizeof(Cell) +
                    series.spreads.capacity() * sizeof(Spread) +
                    series.sketches.capacity() * sizeof(Sketch);
  for (const Sketch& sketch : series.sketches)
    sum += sketch.buckets().capacity() * sizeof(Sketch::Buckets::value_type);
  return sum;
}

std::size_t SpanWindow::bytes() const {
  return keys().bytes() + series_.capacity() * sizeof(Series) + series_bytes_;
}

}  // namespace hastur
