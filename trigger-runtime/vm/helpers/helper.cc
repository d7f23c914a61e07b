#include "trigger-runtime/vm/helpers/helper.h"

#include <fmt/format.h>

namespace hastur {

std::optional<std::string> Helper::read(std::string_view json, Time now) {
  JsonCursor in(json);
  std::string fault;
  const bool whole = in.object([&](std::string_view key) {
    // Escaped keys lie in the cursor, which goes on.
    const std::string own(key);
    if (own.size() <= key_bytes_max && keys_.find(own) == KeyTable::none && read_key(own, in, now))
      return true;
    fault = fmt::format("[\"{}\"]", own);
    return false;
  });
  if (!whole || !in.at_end()) return fault;
  finish_reading();
  return std::nullopt;
}

}  // namespace hastur
