#include "trigger-runtime/vm/helpers/sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>

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
  const auto over = static_cast<std::ptrdiff_t>(buckets_.size() - buckets_max);
  for (std::ptrdiff_t i = 0; i < over; ++i)
    buckets_[static_cast<std::size_t>(over)].second += buckets_[static_cast<std::size_t>(i)].second;
  buckets_.erase(buckets_.begin(), buckets_.begin() + over);
}

std::optional<double> Sketch::percentile(double percent) const {
  double total = 0;
  for (const auto& [bucket, weight] : buckets_) total += weight;
  double reached = 0;
  for (const auto& [bucket, weight] : buckets_) {
    reached += weight;
    if (reached >= total * (percent / 100)) return value_of(bucket);
  }
  return buckets_.empty() ? std::nullopt : std::optional(value_of(buckets_.back().first));
}

}  // namespace hastur
