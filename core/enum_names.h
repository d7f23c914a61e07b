#pragma once

// Enumerators by the names that files, options and answers give them.

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace hastur {

// `names` holds the name of each enumerator, which count from 0. Nothing: no such name.
template <class Enum, std::size_t count>
std::optional<Enum> enum_from_name(const std::array<std::string_view, count>& names,
                                   std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace hastur
