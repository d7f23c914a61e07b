#include "trigger-runtime/host/observed.h"

#include <utility>

namespace hastur {

void append_observed(Json& earlier, Json later) {
  if (earlier.is_array() && later.is_array()) {
    for (Json& each : later) earlier.push_back(std::move(each));
  } else if (earlier.is_object() && later.is_object()) {
    for (auto& [key, value] : later.items()) append_observed(earlier[key], std::move(value));
  } else {
    earlier = std::move(later);
  }
}

std::string join_observed(const std::string& earlier, std::string later) {
  if (earlier.empty()) return later;
  Result<Json> all = parse_json(earlier);
  Result<Json> more = parse_json(later);
  if (!all || !all->is_object() || !more || !more->is_object()) return later;
  append_observed(*all, std::move(*more));
  return canonical_json(*all);
}

}  // namespace hastur
