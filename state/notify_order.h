#pragma once

// What people ordered about notifications: how it is decided what may leave.
//
// An order is in force until somebody ends or replaces it, or its time is over; then it stays as
// the record of that.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace hastur {

enum class NotifyMode : std::uint8_t { on, record, off };  // from lenient to strict
std::string_view notify_mode_name(NotifyMode mode);
std::optional<NotifyMode> notify_mode_from_name(std::string_view name);

// What an order is about. A silence is of a trigger, or of one key of it.
enum class OrderScope : std::uint8_t { supervisor, channel, trigger, silence };
std::string_view order_scope_name(OrderScope scope);
std::optional<OrderScope> order_scope_from_name(std::string_view name);

struct NotifyOrder {
  // Given by the store, rising; 0 before.
  std::uint64_t number = 0;
  OrderScope scope = OrderScope::supervisor;
  // Of the channel or trigger.
  std::string name = {};
  // Of a silence: the incidents' key; empty: all that its trigger asks for.
  std::string key = {};
  // A silence records.
  NotifyMode mode = NotifyMode::record;
  Time since{};
  // A silence always has one.
  std::optional<Time> until = {};
  std::string why = {};
  // In force until then; nothing: still.
  std::optional<Time> ended = {};
  std::string end_why = {};
};

}  // namespace hastur
