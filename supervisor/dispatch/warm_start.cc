#include "supervisor/dispatch/warm_start.h"

namespace hastur {
namespace {

// Nobody has heard anything meanwhile: after as long as a backtest looks back there is nothing left
// that an empty helper would not learn as fast.
constexpr Micros age_max = std::chrono::minutes{10};

}  // namespace

std::optional<WarmHelpers> warm_helpers(const std::optional<WarmStart>& start,
                                        std::optional<Time> now) {
  if (!start || !now || *now < start->at || *now - start->at > age_max) return std::nullopt;
  return WarmHelpers{start->at, *now, start->helpers};
}

Json warm_json(const WarmHelpers& warm) {
  return {{"at", to_us(warm.at)},
          {"now", to_us(warm.now)},
          {"helpers", parse_json(warm.helpers).value_or(Json::object())}};
}

std::optional<WarmHelpers> warm_from_detail(const Json& detail) {
  if (!detail.is_object()) return std::nullopt;
  const auto warm = detail.find("warm");
  if (warm == detail.end() || !warm->is_object()) return std::nullopt;
  return WarmHelpers{time_from_us(warm->value("at", std::int64_t{0})),
                     time_from_us(warm->value("now", std::int64_t{0})),
                     canonical_json(warm->value("helpers", Json::object()))};
}

}  // namespace hastur
