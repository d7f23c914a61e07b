#include "trigger-runtime/host/observed.h"

#include "core/json.h"

namespace hastur {
namespace {

void append(Json& to, const Json& from) {
  if (to.is_array() && from.is_array()) {
    to.insert(to.end(), from.begin(), from.end());
  } else if (to.is_object() && from.is_object()) {
    for (const auto& [key, value] : from.items()) append(to[key], value);
  } else {
    to = from;
  }
}

}  // namespace

std::string join_observed(const std::string& earlier, std::string later) {
  if (earlier.empty()) return later;
  Result<Json> all = parse_json(earlier);
  const Result<Json> more = parse_json(later);
  if (!all || !all->is_object() || !more || !more->is_object()) return later;
  append(*all, *more);
  return canonical_json(*all);
}

}  // namespace hastur
