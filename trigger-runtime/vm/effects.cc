#include "trigger-runtime/vm/effects.h"

#include <fmt/format.h>

#include "core/json.h"

namespace hastur {
namespace {

std::string payload_of(const Notification& notification) {
  std::string out =
      fmt::format(R"({{"details":{},"key":{},"kind":)", notification.details, notification.key);
  append_json_string(out, notification.kind);
  out += ",\"options\":";
  out += notification.options;
  out += ",\"text\":";
  append_json_string(out, notification.text);
  out += ",\"to\":";
  out += notification.to;
  out += '}';
  return out;
}

}  // namespace

void EffectSink::configure(const TriggerName& name, const CountedLimits& limits) {
  name_ = name;
  limits_ = limits;
}

void EffectSink::begin_feed() {
  effects_.clear();
  bytes_ = 0;
  cut_ = 0;
}

void EffectSink::settle_callback(bool returned) {
  if (!returned) {
    effects_.erase(effects_.begin() + static_cast<std::ptrdiff_t>(callback_begin_), effects_.end());
    ordinal_ = callback_ordinal_;
    input_bytes_ = callback_bytes_;
    minute_ = callback_minute_;
    return;
  }
  if (notifications_cut_ > 0) add_cut_notice();
  cut_ += left_out_;
}

void EffectSink::drop_input() {
  effects_.erase(effects_.begin() + static_cast<std::ptrdiff_t>(input_begin_), effects_.end());
}

void EffectSink::turn_minute() {
  if (const std::int64_t minute = minute_of(now_); minute != minute_.minute)
    minute_ = {minute, 0, 0};
}

bool EffectSink::room_for_message(std::size_t bytes) {
  turn_minute();
  if (others_ < limits_.effects_max && minute_.messages < limits_.messages_per_minute_max &&
      room_for(bytes))
    return true;
  ++left_out_;
  return false;
}

void EffectSink::add_message(std::string payload) {
  ++others_;
  ++minute_.messages;
  add(EffectKind::message, std::move(payload));
}

void EffectSink::add_log(std::string_view text) {
  turn_minute();
  if (others_ >= limits_.effects_max || !room_for(text.size()) ||
      minute_.log_bytes + text.size() + 1 > limits_.log_bytes_per_minute_max) {
    ++left_out_;
    return;
  }
  ++others_;
  // An empty line is one, too.
  minute_.log_bytes += static_cast<std::uint32_t>(text.size() + 1);
  std::string payload = R"({"text":)";
  append_json_string(payload, text);
  payload += '}';
  add(EffectKind::log, std::move(payload));
}

void EffectSink::add_notification(const Notification& notification) {
  std::string payload = payload_of(notification);
  if (notifications_ >= limits_.notifications_max || !room_for(payload.size())) {
    if (notifications_cut_ == 0) {
      cut_kind_ = notification.kind;
      cut_to_ = notification.to;
    }
    ++notifications_cut_;
    ++left_out_;
    return;
  }
  ++notifications_;
  add(EffectKind::notification, std::move(payload));
}

void EffectSink::add_report(std::string payload, std::uint8_t depth) {
  add(EffectKind::report, std::move(payload));
  effects_.back().depth = depth;
}

void EffectSink::add_cut_notice() {
  const std::string text =
      fmt::format("{}: {} more notifications of one call were left out; {} went out", name_,
                  notifications_cut_, notifications_);
  Notification notice;
  notice.kind = cut_kind_;
  notice.to = cut_to_;
  notice.text = text;
  notice.details = fmt::format(R"({{"left_out":{}}})", notifications_cut_);
  add(EffectKind::notification, payload_of(notice));
}

void EffectSink::add(EffectKind kind, std::string payload) {
  bytes_ += payload.size();
  input_bytes_ += payload.size();
  Effect& effect = effects_.emplace_back();
  effect.sequence = sequence_;
  effect.ordinal = ordinal_++;
  effect.time = now_;
  effect.kind = kind;
  effect.depth = kind == EffectKind::message ? depth_ : std::uint8_t{1};
  effect.payload = std::move(payload);
}

}  // namespace hastur
