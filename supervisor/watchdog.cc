#include "supervisor/watchdog.h"

#include <fmt/format.h>

namespace hastur {
namespace {

constexpr std::string_view message_name = "hastur.watchdog";

constexpr std::string_view script_text =
    R"(-- Answers the watchdog's heartbeats; see docs/notifications.md.
local ctx = hastur.trigger()
ctx:process_heartbeats({ name = "hastur.watchdog", labels = { watchdog = "@" } }, function(msg)
  hastur.gauge("hastur.watchdog", msg.value)
end)
)";

}  // namespace

Watchdog::Watchdog(const std::string& owner)
    : trigger_(fmt::format("hastur/watchdog-{}", owner.substr(0, 8))) {}

DesiredScript Watchdog::script() const {
  std::string text(script_text);
  text.replace(text.find('@'), 1, trigger_);
  return {trigger_, make_version({trigger_ + ".lua", std::move(text)}, {})};
}

std::optional<std::string> Watchdog::turn(Time now) {
  // A clock that was set back begins anew.
  if (sent_ && now >= *sent_ && now - *sent_ < every) return std::nullopt;
  if (awaited_) {
    if (!wrong_since_) wrong_since_ = *awaited_;
    if (why_not_.empty())
      why_not_ = fmt::format("the heartbeat of {} has not come through", format_time(*awaited_));
  }
  sent_ = awaited_ = now;
  return fmt::format(
      R"({{"type":"hb_process","name":"{}","value":{},"timeout":{},"labels":{{"watchdog":"{}"}}}})",
      message_name, to_us(now), 2 * std::chrono::floor<std::chrono::seconds>(every).count(),
      trigger_);
}

void Watchdog::not_sent(std::string why) { why_not_ = std::move(why); }

bool Watchdog::seen(const Batch& published) {
  if (!awaited_) return false;
  const auto batch = BatchView::open(published.header, published.body);
  if (!batch) return false;
  for (std::uint32_t row = 0; row < batch->count(); ++row) {
    const std::uint32_t origin = batch->origins()[row];
    if (origin == BatchView::none || batch->origin(origin).trigger != trigger_) continue;
    const std::uint32_t name = batch->names()[row];
    const Value value = batch->value(row);
    if (name == BatchView::none || batch->string(name) != message_name ||
        value.kind != Value::Kind::number || value.number != static_cast<double>(to_us(*awaited_)))
      continue;
    awaited_.reset();
    return true;
  }
  return false;
}

void Watchdog::called(const std::optional<std::string>& why_not) {
  if (!why_not) {
    wrong_since_.reset();
    why_not_.clear();
    return;
  }
  if (!wrong_since_) wrong_since_ = sent_;
  why_not_ = *why_not;
}

std::optional<PlatformTrouble> Watchdog::trouble() const {
  if (!wrong_since_) return std::nullopt;
  return PlatformTrouble{"watchdog",
                         fmt::format("The watchdog URL has not been reached since {}: {}",
                                     format_time(*wrong_since_), why_not_),
                         *wrong_since_};
}

}  // namespace hastur
