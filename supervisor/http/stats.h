#pragma once

// Numbers of gauges and counters by name and time, folded into steps: /v1/stats (DESIGN §13).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "message/batch.h"

namespace hastur {

enum class Fold : std::uint8_t { mean, min, max, sum, count, last };
std::optional<Fold> fold_from_name(std::string_view name);

struct StatsQuery {
  std::string name;
  // Only of this sender, if given.
  std::string uuid;
  // [from, to) in steps: point k stands for [from + k·step, from + (k+1)·step).
  Time from;
  Time to;
  Micros step{0};
  Fold fold = Fold::mean;
};

inline constexpr std::size_t stats_points_max = 11'000;

class Stats {
 public:
  // The query's bounds are in order and give at most stats_points_max points (checked by whoever
  // parsed it).
  explicit Stats(StatsQuery query);

  // Takes the numbers of matching gauges and counters, by their timestamp; of derived ones those
  // that `counts`, if it is given.
  void add(const BatchView& batch, const std::function<bool(const Origin&)>& counts = {});

  // {"points":[[µs, number|null], …]}; a step without values is null (0 for sum and count).
  Json to_json() const;

  const StatsQuery& query() const { return query_; }

 private:
  struct Bucket {
    std::uint64_t count = 0;
    double sum = 0, least = 0, greatest = 0, last = 0;
    std::int64_t last_at = INT64_MIN;
  };
  StatsQuery query_;
  std::vector<Bucket> buckets_;
};

}  // namespace hastur
