#include "trigger-runtime/vm/helpers/throttle.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/number.h"

namespace hastur {

bool Throttle::allow(std::string_view key, Time now) {
  std::uint32_t id = keys().find(key);
  if (id == KeyTable::none) id = keys().add(key);
  // A new key has passed 0 times.
  std::uint32_t& passes = keys().mark(id);
  if (passes == 0 || is_over(id, now)) {
    keys().time(id) = to_us(now);
    passes = 0;
  }
  if (passes >= options_.n) return false;
  ++passes;
  return true;
}

void Throttle::settle(Time now) {
  for (std::uint32_t id = 0; id < keys().ids_end(); ++id) {
    if (keys().holds(id) && is_over(id, now)) keys().remove(id);
  }
}

bool Throttle::write(std::uint32_t id, std::string& out) const {
  out += fmt::format("{{\"n\":{},\"t\":", keys().mark(id));
  append_number(out, static_cast<double>(keys().time(id)));
  out += '}';
  return true;
}

bool Throttle::read_key(std::string_view key, JsonCursor& in, Time now) {
  const std::uint32_t id = keys().add(key);
  bool has_time = false;
  return in.object([&](std::string_view field) {
    const std::optional<std::int64_t> number = in.whole();
    if (!number) return false;
    if (field == "t") {
      keys().time(id) = std::min(*number, to_us(now));
      return has_time = true;
    }
    if (field != "n" || *number < 1 || *number > UINT32_MAX) return false;
    keys().mark(id) = static_cast<std::uint32_t>(*number);
    return true;
  }) && has_time &&
         keys().mark(id) > 0;
}

}  // namespace hastur
