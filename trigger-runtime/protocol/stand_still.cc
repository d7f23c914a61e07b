#include "trigger-runtime/protocol/stand_still.h"

#include "core/check.h"
#include "core/json.h"

namespace hastur {

std::string stood_still(std::string_view runtime, Time since) {
  Result<Json> json = runtime.empty() ? Result<Json>(Json::object()) : parse_json(runtime);
  HASTUR_CHECK(json && json->is_object(), "the runtime's memory of a trigger is no JSON object");
  (*json)[still_since_key] = to_us(since);
  return canonical_json(*json);
}

}  // namespace hastur
