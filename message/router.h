#pragma once

// Evaluates the filters of all subscriptions on a batch, once.
//
// Names are looked up in an index, so a message that nobody wants costs the same for one trigger
// and for ten thousand. What a filter asks of a name, uuid, host name or label set is decided once
// per distinct one in the batch; only values, subjects and attn are looked at message by message.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "message/batch.h"
#include "message/filter.h"

namespace hastur {

// One call of ctx:gauges(…) and its like: which types, which filter, for which callback of which
// trigger.
struct Subscription {
  // The caller's number of the trigger, dense from 0; the result is grouped by it.
  std::uint32_t trigger = 0;
  // The trigger's number of the callback, in the order in which they were made.
  std::uint32_t callback = 0;
  // Bit set over message types; empty means all but ticks.
  std::vector<MessageType> types;
  Filter filter;
  // Whether messages that this trigger derived itself are wanted; `trigger_name` is compared with
  // the origin.
  bool own = false;
  std::string trigger_name;
};

struct Match {
  std::uint32_t row;
  std::uint32_t callback;
  friend auto operator<=>(const Match&, const Match&) = default;
};

// The matches of one batch: per trigger, by row, then by callback. Reused from batch to batch.
class Routed {
 public:
  // Empty for a trigger that wants nothing of the batch.
  std::span<const Match> matches(std::uint32_t trigger) const;
  // Triggers that have at least one match, ascending.
  std::span<const std::uint32_t> triggers() const { return triggers_; }

 private:
  friend class Router;
  std::vector<std::vector<Match>> by_trigger_;
  std::vector<std::uint32_t> triggers_;
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // Replaces all subscriptions.
  void build(std::vector<Subscription> subscriptions);

  // Rows from `from_row` on. Ticks match nothing: every trigger sees them anyway; and corrections
  // of a replay do not, which no trigger receives.
  void route(const BatchView& batch, std::uint32_t from_row, Routed& out);

 private:
  struct Index;
  std::unique_ptr<Index> index_;
};

}  // namespace hastur
