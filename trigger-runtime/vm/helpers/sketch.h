#pragma once

// How values are distributed, in a bounded number of buckets.
//
// A bucket takes the doubles with the same sign, exponent and first four binary digits, so that
// which one takes a value is exact on every machine. Its middle is at most 1/32 (3.2 %) away from
// any value in it. Of more than buckets_max those nearest to 0 become one with the next that is
// further from it: values of one sign are kept apart over 16 octaves (a factor of 65,536), of both
// signs over eight of each (256).

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace hastur {

class Sketch {
 public:
  static constexpr std::size_t buckets_max = 256;
  // Sorted by bucket, which is also the order of the values; weights are above 0.
  using Buckets = std::vector<std::pair<std::uint32_t, double>>;

  static std::uint32_t bucket_of(double value);
  // The middle of what the bucket takes.
  static double value_of(std::uint32_t bucket);
  static constexpr std::uint32_t bucket_end = 1u << 16;

  void add(std::uint32_t bucket, double weight);
  void add(const Sketch& part);
  const Buckets& buckets() const { return buckets_; }
  // The value in whose bucket `percent` of all weights are reached; nothing when empty.
  std::optional<double> percentile(double percent) const;

 private:
  void bound();
  Buckets buckets_;
};

}  // namespace hastur
