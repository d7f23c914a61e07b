#include "supervisor/http/stats.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "core/json.h"

namespace hastur {

std::optional<Fold> fold_from_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Fold>, 6> names{{{"mean", Fold::mean},
                                                                    {"min", Fold::min},
                                                                    {"max", Fold::max},
                                                                    {"sum", Fold::sum},
                                                                    {"count", Fold::count},
                                                                    {"last", Fold::last}}};
  for (const auto& [known, fold] : names) {
    if (known == name) return fold;
  }
  return std::nullopt;
}

Stats::Stats(StatsQuery query) : query_(std::move(query)) {
  const std::int64_t span = (query_.to - query_.from).count();
  const std::int64_t step = query_.step.count();
  HASTUR_CHECK(span > 0 && step > 0, "a stats query spans no time");
  buckets_.resize(static_cast<std::size_t>((span + step - 1) / step));
}

void Stats::add(const BatchView& batch, const std::function<bool(const Origin&)>& counts) {
  // The name and uuid are looked for once in the batch's dictionary.
  std::uint32_t name = BatchView::none;
  std::uint32_t uuid = BatchView::none;
  for (std::uint32_t id = 0; id < batch.string_count(); ++id) {
    if (batch.string(id) == query_.name) name = id;
    if (!query_.uuid.empty() && batch.string(id) == query_.uuid) uuid = id;
  }
  if (name == BatchView::none || (!query_.uuid.empty() && uuid == BatchView::none)) return;

  for (std::uint32_t row = 0; row < batch.count(); ++row) {
    if (batch.names()[row] != name || (uuid != BatchView::none && batch.uuids()[row] != uuid))
      continue;
    const auto type = static_cast<MessageType>(batch.types()[row]);
    if (type != MessageType::gauge && type != MessageType::counter) continue;
    if (static_cast<Value::Kind>(batch.value_kinds()[row]) != Value::Kind::number) continue;
    const std::int64_t at = batch.timestamps()[row];
    if (at < to_us(query_.from) || at >= to_us(query_.to)) continue;
    const std::uint32_t origin = batch.origins()[row];
    if (origin != BatchView::none && counts && !counts(batch.origin(origin))) continue;
    const double value = std::bit_cast<double>(batch.values()[row]);
    Bucket& bucket =
        buckets_[static_cast<std::size_t>((at - to_us(query_.from)) / query_.step.count())];
    bucket.least = bucket.count == 0 ? value : std::min(bucket.least, value);
    bucket.greatest = bucket.count == 0 ? value : std::max(bucket.greatest, value);
    ++bucket.count;
    bucket.sum += value;
    if (at >= bucket.last_at) {
      bucket.last_at = at;
      bucket.last = value;
    }
  }
}

Json Stats::to_json() const {
  Json points = Json::array();
  std::int64_t at = to_us(query_.from);
  for (const Bucket& bucket : buckets_) {
    Json value;
    const auto count = static_cast<double>(bucket.count);
    switch (query_.fold) {
      case Fold::sum:
        value = bucket.sum;
        break;
      case Fold::count:
        value = count;
        break;
      default:
        if (bucket.count == 0) break;
        value = query_.fold == Fold::mean  ? bucket.sum / count
                : query_.fold == Fold::min ? bucket.least
                : query_.fold == Fold::max ? bucket.greatest
                                           : bucket.last;
    }
    points.push_back(Json::array({at, std::move(value)}));
    at += query_.step.count();
  }
  return {{"points", std::move(points)}};
}

}  // namespace hastur
