#include "state/notify_order.h"

#include <array>

#include "core/enum_names.h"

namespace hastur {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 3> mode_names = {"on", "record", "off"};
constexpr std::array<std::string_view, 4> scope_names = {"supervisor", "channel", "trigger",
                                                         "silence"};

}  // namespace

std::string_view notify_mode_name(NotifyMode mode) {
  return mode_names[static_cast<std::size_t>(mode)];
}
std::optional<NotifyMode> notify_mode_from_name(std::string_view name) {
  return enum_from_name<NotifyMode>(mode_names, name);
}

std::string_view order_scope_name(OrderScope scope) {
  return scope_names[static_cast<std::size_t>(scope)];
}
std::optional<OrderScope> order_scope_from_name(std::string_view name) {
  return enum_from_name<OrderScope>(scope_names, name);
}

}  // namespace hastur
