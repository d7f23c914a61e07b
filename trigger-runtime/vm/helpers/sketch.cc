#include "trigger-runtime/vm/helpers/sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "trigger-runtime/vm/helpers/summary.h"

namespace hastur {
namespace {

constexpr unsigned dropped_digits = 48;
constexpr std::uint64_t sign = 1ull << 63;
// Smaller ones are as good as 0.
constexpr double least = 1e-300;

}  // namespace

std::uint32_t Sketch::bucket_of(double value) {
  if (std::fabs(value) < least) value = 0;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  // In the order of the values: negative ones turned round, below the others.
  const std::uint64_t ordered = (bits & sign) != 0 ? ~bits : bits | sign;
  return static_cast<std::uint32_t>(ordered >> dropped_digits);
}

double Sketch::value_of(std::uint32_t bucket) {
  const std::uint64_t middle =
      (std::uint64_t{bucket} << dropped_digits) | 1ull << (dropped_digits - 1);
  const double value = std::bit_cast<double>((middle & sign) != 0 ? middle & ~sign : ~middle);
  if (std::fabs(value) < least) return 0;
  // The last bucket of all reaches to infinity.
  return std::isfinite(value) ? value : std::copysign(1e308, value);
}

void Sketch::add(std::uint32_t bucket, double weight) {
  const auto at = std::ranges::lower_bound(buckets_, bucket, {}, &Buckets::value_type::first);
  if (at != buckets_.end() && at->first == bucket) {
    at->second += weight;
    return;
  }
  buckets_.insert(at, {bucket, weight});
  bound();
}

void Sketch::add(const Sketch& part) {
  Buckets sum;
  sum.reserve(buckets_.size() + part.buckets_.size());
  std::ranges::merge(buckets_, part.buckets_, std::back_inserter(sum), {},
                     &Buckets::value_type::first, &Buckets::value_type::first);
  buckets_.clear();
  for (const auto& [bucket, weight] : sum) {
    if (!buckets_.empty() && buckets_.back().first == bucket) {
      buckets_.back().second += weight;
    } else {
      buckets_.emplace_back(bucket, weight);
    }
  }
  bound();
}

void Sketch::bound() {
  if (buckets_.size() <= buckets_max) return;
  constexpr std::uint32_t zero = bucket_end / 2;
  const auto zero_at = std::ranges::lower_bound(buckets_, zero, {}, &Buckets::value_type::first);
  // What goes is [low, high), around 0.
  auto low = static_cast<std::size_t>(zero_at - buckets_.begin());
  auto high = low;
  double below = 0;
  double above = 0;
  while (buckets_.size() - (high - low) > buckets_max) {
    const bool is_negative_nearer =
        high == buckets_.size() ||
        (low > 0 && zero - 1 - buckets_[low - 1].first < buckets_[high].first - zero);
    if (is_negative_nearer) {
      below += buckets_[--low].second;
    } else {
      above += buckets_[high++].second;
    }
  }
  // Each to the next of its own sign, where there is one left.
  if (low > 0) {
    buckets_[low - 1].second += below;
  } else {
    above += below;
  }
  if (high < buckets_.size()) {
    buckets_[high].second += above;
  } else {
    buckets_[low - 1].second += above;
  }
  const auto begin = buckets_.begin();
  buckets_.erase(begin + static_cast<std::ptrdiff_t>(low),
                 begin + static_cast<std::ptrdiff_t>(high));
}

std::optional<double> Sketch::percentile(double percent) const {
  double total = 0;
  for (const auto& [bucket, weight] : buckets_) total += weight;
  const double rank = percentile_rank(total, percent);
  double reached = 0;
  for (const auto& [bucket, weight] : buckets_) {
    reached += weight;
    if (reached >= rank) return value_of(bucket);
  }
  return buckets_.empty() ? std::nullopt : std::optional(value_of(buckets_.back().first));
}

}  // namespace hastur
