#include "supervisor/notify/orders.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.h"

namespace hastur {
namespace {

constexpr Micros look_every = std::chrono::seconds{1};
constexpr Micros look_for = std::chrono::seconds{10};

std::string subject(const NotifyOrder& order) {
  switch (order.scope) {
    case OrderScope::supervisor:
      return "notifications";
    case OrderScope::channel:
      return "channel " + order.name;
    case OrderScope::trigger:
      return "trigger " + order.name;
    case OrderScope::silence:
      return order.key.empty() ? order.name : order.name + "/" + order.key;
  }
  return "";
}

void log_order(const NotifyOrder& order) {
  const std::string what = order.scope == OrderScope::silence
                               ? "silent"
                               : fmt::format("on mode {}", notify_mode_name(order.mode));
  if (order.ended) {
    log_info("{} no longer {}: {}", subject(order), what, order.end_why);
  } else {
    log_info("{} {}{}: {}", subject(order), what,
             order.until ? " until " + format_time(*order.until) : "", order.why);
  }
}

}  // namespace

Result<void> NotifyOrders::start() {
  HASTUR_TRY(read());
  look_until_ = clock_.now() + look_for;
  return end_over();
}

Result<void> NotifyOrders::read() {
  std::vector<NotifyOrder> all;
  CheckpointStore::OrderQuery query;
  while (true) {
    auto found = store_.orders(query);
    if (!found) return fail(found.error());
    for (NotifyOrder& order : *found) {
      query.after_number = order.number;
      all.push_back(std::move(order));
    }
    if (found->size() < query.max) break;
  }
  policy_.set_orders(std::move(all));
  return {};
}

Result<void> NotifyOrders::change(std::vector<NotifyOrder> orders) {
  CommitBatch batch;
  batch.orders = std::move(orders);
  HASTUR_TRY(store_.commit(batch));
  for (const NotifyOrder& order : batch.orders) log_order(order);
  HASTUR_TRY(read());
  look_until_ = clock_.now() + look_for;
  return {};
}

Result<void> NotifyOrders::end_over() {
  const Time now = clock_.now();
  std::vector<NotifyOrder> over;
  for (const NotifyOrder& order : policy_.orders()) {
    if (!order.until || *order.until > now) continue;
    NotifyOrder& ended = over.emplace_back(order);
    ended.ended = now;
    ended.end_why = "its time is over";
  }
  if (over.empty()) return {};
  return change(std::move(over));
}

void NotifyOrders::turn() {
  const Time now = clock_.now();
  if (now - looked_at_ < look_every) return;
  looked_at_ = now;
  auto done = end_over();
  if (done && look_until_) {
    done = delivery_.release_held();
    if (done && now > *look_until_) look_until_.reset();
  }
  if (!done) log_error("orders about notifications, trying again: {}", done.error().message);
}

Result<void> NotifyOrders::set_mode(OrderScope scope, const std::string& name,
                                    std::optional<NotifyMode> mode, std::optional<Micros> span,
                                    const std::string& why) {
  const Time now = clock_.now();
  std::vector<NotifyOrder> orders;
  if (const NotifyOrder* before = policy_.order(scope, name)) {
    NotifyOrder& ended = orders.emplace_back(*before);
    ended.ended = now;
    ended.end_why = why;
  }
  if (mode) {
    NotifyOrder& order = orders.emplace_back();
    order.scope = scope;
    order.name = name;
    order.mode = *mode;
    order.since = now;
    if (span) order.until = now + *span;
    order.why = why;
  }
  if (!orders.empty()) HASTUR_TRY(change(std::move(orders)));
  HASTUR_TRY(delivery_.hold_back());
  return delivery_.release_held();
}

Result<std::uint64_t> NotifyOrders::silence(const TriggerName& trigger, const std::string& key,
                                            Time until, const std::string& why) {
  NotifyOrder order;
  order.scope = OrderScope::silence;
  order.name = trigger;
  order.key = key;
  order.since = clock_.now();
  order.until = until;
  order.why = why;
  HASTUR_TRY(change({order}));
  HASTUR_TRY(delivery_.hold_back());
  return policy_.orders().back().number;
}

Result<void> NotifyOrders::end_silence(std::uint64_t number, const std::string& why) {
  const auto found = std::ranges::find_if(policy_.orders(), [&](const NotifyOrder& order) {
    return order.number == number && order.scope == OrderScope::silence;
  });
  if (found == policy_.orders().end())
    return fail(ErrorCode::not_found, fmt::format("there is no silence q-{} in force", number));
  NotifyOrder ended = *found;
  ended.ended = clock_.now();
  ended.end_why = why;
  HASTUR_TRY(change({std::move(ended)}));
  return delivery_.release_held();
}

}  // namespace hastur
