#include "trigger-runtime/vm/helpers/last_window.h"

#include <fmt/format.h>

#include "core/number.h"
#include "trigger-runtime/vm/helpers/large_allocator.h"

namespace hastur {

LastWindow::Series& LastWindow::make(std::string_view key) {
  std::uint32_t id = keys().find(key);
  if (id == KeyTable::none) {
    id = keys().add(key);
    if (series_.size() <= id) series_.resize(keys().ids_end());
  }
  return series_[id];
}

void LastWindow::push(Series& series, double value) {
  if (series.values.size() == last_) {
    series.values[series.begin] = value;
    series.begin = (series.begin + 1) % last_;
    return;
  }
  series_bytes_ -= series.values.capacity() * sizeof(double);
  series.values.push_back(value);
  series_bytes_ += series.values.capacity() * sizeof(double);
}

Window::Added LastWindow::add(std::string_view key, double value, double, Time, Time) {
  if (std::fabs(value) > value_max) return Added::too_large;
  Series& series = make(key);
  push(series, value);
  ++series.added;
  return Added::taken;
}

Summary LastWindow::summary(std::uint32_t id, std::optional<Micros>, Time) const {
  const Series& series = series_[id];
  Summary sum;
  for (std::size_t i = 0; i < series.values.size(); ++i)
    sum.add(series.values[(series.begin + i) % series.values.size()], 1);
  return sum;
}

std::optional<double> LastWindow::percentile(std::uint32_t id, double percent,
                                             std::optional<Micros>, Time) const {
  std::vector<double> values = series_[id].values;
  if (values.empty()) return std::nullopt;
  const auto count = static_cast<double>(values.size());
  const double rank = std::ceil(percentile_rank(count, percent));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::clamp(rank, 1.0, count)) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void LastWindow::forget_series(std::uint32_t id) {
  series_bytes_ -= series_[id].values.capacity() * sizeof(double);
  series_[id] = {};
}

void LastWindow::clear() {
  Helper::clear();
  release(series_);
  series_bytes_ = 0;
}

bool LastWindow::write(std::uint32_t id, std::string& out) const {
  const Series& series = series_[id];
  out += fmt::format("{{\"i\":{},\"v\":[", series.added);
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (i > 0) out += ',';
    append_number(out, series.values[(series.begin + i) % series.values.size()]);
  }
  out += "]}";
  return true;
}

bool LastWindow::read_key(std::string_view key, JsonCursor& in, Time) {
  Series& series = make(key);
  std::optional<std::int64_t> added;
  const bool read = in.object([&](std::string_view field) {
    if (field == "i") return (added = in.whole()).has_value();
    return field == "v" && in.list([&] {
      const std::optional<double> value = in.number();
      if (value) push(series, std::clamp(*value, -value_max, value_max));
      return value.has_value();
    });
  });
  if (!read || !added || *added < static_cast<std::int64_t>(series.values.size()) ||
      series.values.empty())
    return false;
  series.added = static_cast<std::uint64_t>(*added);
  return true;
}

std::size_t LastWindow::bytes() const {
  return keys().bytes() + series_.capacity() * sizeof(Series) + series_bytes_;
}

}  // namespace hastur
