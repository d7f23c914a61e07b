#pragma once

// Count, sum, spread and extremes of weighted numbers, put together from parts.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace hastur {

// The rank of a percentile: the least weight of the lowest values that is so much of the whole.
// What binary fractions add to a rank that is a whole number does not make it the next one.
inline double percentile_rank(double whole, double percent) {
  return whole * percent / 100 * (1 - 1e-12);
}

struct Summary {
  double count = 0;  // sum of the weights
  double sum = 0;    // of value times weight
  // Squared distances from the mean, times weight: unlike a sum of squares, it loses no digits
  // where values are large and near one another.
  double squares = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();

  void add(double value, double weight) {
    const double away = count > 0 ? value - sum / count : 0;
    count += weight;
    sum += value * weight;
    squares += weight * away * (value - sum / count);
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }

  // Chan, Golub, LeVeque (1979).
  void add(const Summary& part) {
    if (part.count == 0) return;
    if (count > 0) {
      const double away = part.sum / part.count - sum / count;
      squares += part.squares + away * away * (count * part.count / (count + part.count));
    } else {
      squares = part.squares;
    }
    count += part.count;
    sum += part.sum;
    lowest = std::min(lowest, part.lowest);
    highest = std::max(highest, part.highest);
  }

  // Nothing when empty.
  std::optional<double> mean() const {
    return count > 0 ? std::optional(sum / count) : std::nullopt;
  }
  // Of the whole, not of a sample.
  std::optional<double> stddev() const {
    return count > 0 ? std::optional(std::sqrt(std::max(squares, 0.0) / count)) : std::nullopt;
  }

  friend bool operator==(const Summary&, const Summary&) = default;
};

}  // namespace hastur
