#include "state/notify_order.h"

#include <algorithm>
#include <array>

namespace hastur {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 3> mode_names = {"on", "record", "off"};
constexpr std::array<std::string_view, 4> scope_names = {"supervisor", "channel", "trigger",
                                                         "silence"};

template <class Enum, std::size_t count>
std::optional<Enum> from_name(const std::array<std::string_view, count>& names,
                              std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view notify_mode_name(NotifyMode mode) {
  return mode_names[static_cast<std::size_t>(mode)];
}
std::optional<NotifyMode> notify_mode_from_name(std::string_view name) {
  return from_name<NotifyMode>(mode_names, name);
}

std::string_view order_scope_name(OrderScope scope) {
  return scope_names[static_cast<std::size_t>(scope)];
}
std::optional<OrderScope> order_scope_from_name(std::string_view name) {
  return from_name<OrderScope>(scope_names, name);
}

}  // namespace hastur
