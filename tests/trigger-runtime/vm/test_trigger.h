#pragma once

// A stream written by hand and a trigger that is fed from it, as a worker would feed it.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "message/batch.h"
#include "message/filter.h"
#include "message/json_codec.h"
#include "message/router.h"
#include "trigger-runtime/vm/script_vm.h"

namespace hastur::testing {

// 2024-01-01T00:00:00Z, a Monday.
inline constexpr std::int64_t start_s = 1'704'067'200;
inline constexpr std::string_view host_uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";

inline Time at_second(double seconds) {
  return time_from_us(start_s * us_per_second + static_cast<std::int64_t>(seconds * 1e6));
}

// Collects rows; take() cuts what was collected since the last take() into a batch that goes on
// where that ended.
class Stream {
 public:
  // A message object without time; it is received and was sent at second `at` of the stream.
  Stream& message(double at, const std::string& json) {
    JsonDecoder decoder;
    JsonDecoder::Defaults defaults;
    defaults.received_at = at_second(at);
    defaults.uuid = host_uuid;
    defaults.recorded = true;
    const auto decoded = decoder.decode(json, defaults);
    if (const auto* refused = std::get_if<JsonDecoder::Refused>(&decoded)) {
      ADD_FAILURE() << refused->text << ": " << json;
      return *this;
    }
    MessageView view = std::get<MessageView>(decoded);
    view.origin = origin;
    builder_.add(view);
    return *this;
  }
  Stream& gauge(double at, double value, const std::string& name = "load") {
    return message(at, fmt::format(R"({{"type":"gauge","name":"{}","value":{}}})", name, value));
  }
  Stream& tick(double at, Micros deaf = Micros{0}) {
    builder_.add_tick(at_second(at), at_second(at), deaf);
    return *this;
  }

  Batch take() {
    const std::uint32_t count = builder_.count();
    Batch batch = builder_.finish(StreamId{}, Sequence{next_}, before_);
    next_ += count;
    if (count > 0) {
      std::vector<std::int64_t> times;
      const Result<BatchView> view = BatchView::open(batch.header, batch.body);
      stream_times(view.value(), times);
      before_ = time_from_us(times.back());
    }
    return batch;
  }

  // Given to every message that follows.
  std::optional<Origin> origin;

 private:
  BatchBuilder builder_;
  std::uint64_t next_ = 1;
  Time before_{};
};

struct TriggerOptions {
  TriggerName name = "billing/load";
  Run run{1};
  std::map<std::string, std::string> libraries;
  CountedLimits limits;
  GuardLimits guards;
  std::optional<Memory> memory;
};

inline LoadCommand load_command(const std::string& script, const TriggerOptions& options = {}) {
  LoadCommand command;
  command.handle = {7};
  command.name = options.name;
  command.run = options.run;
  command.script = {options.name + ".lua", script};
  for (const auto& [path, text] : options.libraries) command.libraries.push_back({path, text});
  command.limits = options.limits;
  command.guards = options.guards;
  command.memory = options.memory;
  return command;
}

// What the script did wrong while it was loaded; a script that loads gives an empty error.
inline ScriptError load_error(const std::string& script, const TriggerOptions& options = {}) {
  auto loaded = ScriptVm::load(load_command(script, options));
  if (auto* failed = std::get_if<LoadFailed>(&loaded)) return failed->error;
  return {};
}

class TestTrigger {
 public:
  explicit TestTrigger(const std::string& script, const TriggerOptions& options = {}) {
    auto loaded = ScriptVm::load(load_command(script, options));
    if (auto* failed = std::get_if<LoadFailed>(&loaded)) {
      ADD_FAILURE() << failed->error.script << ":" << failed->error.line << ": "
                    << failed->error.text;
      return;
    }
    vm_ = std::move(std::get<0>(loaded));
    std::vector<Subscription> subscriptions;
    for (const SubscriptionSpec& spec : vm_->loaded().subscriptions) {
      Subscription subscription;
      subscription.callback = spec.callback;
      subscription.types = spec.types;
      subscription.filter = Filter::parse(parse_json(spec.filter).value()).value();
      subscription.own = spec.own;
      subscription.trigger_name = options.name;
      subscriptions.push_back(std::move(subscription));
    }
    router_.build(std::move(subscriptions));
  }

  bool is_loaded() const { return vm_ != nullptr; }
  ScriptVm& vm() { return *vm_; }

  TriggerProgress feed(const Batch& batch, std::uint32_t from_row = 0,
                       std::uint32_t end_row = UINT32_MAX, std::vector<Skip> skips = {},
                       CallObserver* observer = nullptr) {
    const Result<BatchView> view = BatchView::open(batch.header, batch.body);
    std::vector<std::int64_t> times;
    stream_times(view.value(), times);
    Routed routed;
    router_.route(view.value(), 0, routed);
    end_row = std::min(end_row, batch.header.count);
    const auto matches = routed.matches(0);
    std::vector<Match> within;
    for (const Match& match : matches) {
      if (match.row >= from_row && match.row < end_row) within.push_back(match);
    }
    TriggerProgress progress =
        vm_->feed(view.value(), times, from_row, end_row, within, skips, observer);
    at_ = progress.reached;
    if (batch.header.count > 0) time_ = time_from_us(times.back());
    return progress;
  }
  TriggerProgress feed(Stream& stream) { return feed(stream.take()); }

  // The state now, judged.
  std::string state() {
    const Judged judged = vm_->judge(at_, time_);
    if (judged.error) ADD_FAILURE() << judged.error->error.text;
    return judged.memory.state;
  }

 private:
  std::unique_ptr<ScriptVm> vm_;
  Router router_;
  Sequence at_;
  Time time_{};
};

// Runs `body` in one callback and gives the state it leaves, with what it raised as "error".
inline std::string run_body(const std::string& body, const TriggerOptions& options = {}) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{}\nlocal state = ctx.state\nctx:gauges({}, function(msg)\n" +
          body + "\nend)\n",
      options);
  if (!trigger.is_loaded()) return "not loaded";
  Stream stream;
  stream.gauge(0.5, 20);
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.stopped) {
    const ScriptError& error = progress.stopped->error.error;
    return fmt::format("error at {}: {}", error.line - 3, error.text);
  }
  return trigger.state();
}

// The state as JSON with times as seconds since the start of the stream.
inline Json short_state(TestTrigger& trigger) {
  Json state = parse_json(trigger.state()).value();
  const std::function<void(Json&)> shorten = [&](Json& at) {
    if (at.is_object() || at.is_array()) {
      for (Json& entry : at) shorten(entry);
    } else if (at.is_number() && at.get<double>() > 1e15) {
      at = (at.get<double>() - static_cast<double>(start_s) * 1e6) / 1e6;
    }
  };
  shorten(state);
  return state;
}

// The texts of log effects, one a line.
inline std::string logs_of(const TriggerProgress& progress) {
  std::string out;
  for (const Effect& effect : progress.effects) {
    if (effect.kind != EffectKind::log) continue;
    out += parse_json(effect.payload).value()["text"].get<std::string>() + "\n";
  }
  return out;
}

}  // namespace hastur::testing
