#include "trigger-test/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/json.h"
#include "trigger-test/message_words.h"
#include "trigger-test/told_lines.h"

namespace hastur {
namespace {

// More inputs than these are not looked at one by one …
constexpr std::size_t looks_max = 20'000;
// … and these are told, the nearest ones.
constexpr std::size_t told_before = 500;
constexpr std::size_t told_after = 250;
// A window without them grows to hold so many messages before the moment.
constexpr std::size_t messages_wanted = 3;
constexpr Micros widen_max = std::chrono::hours{24};

class Explainer {
 public:
  Explainer(const TriggerFiles& trigger, const Stream& stream, const ExplainOptions& options)
      : trigger_(trigger), stream_(stream), options_(options), lines_(trigger) {}

  Result<Explanation> run() {
    auto started = CloseRun::start(trigger_);
    if (!started) return fail(started.error());
    if (const auto* error = std::get_if<ScriptError>(&*started)) {
      return fail(ErrorCode::failed, does_not_load(trigger_, *error));
    }
    auto& close = std::get<std::unique_ptr<CloseRun>>(*started);
    out_.loaded = close->loaded();
    const FilterJudge judge(out_.loaded);
    choose_window(judge);
    out_.from = std::max(out_.from, stream_.time_at({1}));
    out_.to =
        std::max(out_.from, std::min(out_.to, stream_.time_at({stream_.row_messages.size()})));
    for (const auto& batch : stream_.batches) {
      const auto end_of = [&](Time time) {
        return static_cast<std::uint32_t>(
            std::ranges::upper_bound(batch->stream_times, to_us(time)) -
            batch->stream_times.begin());
      };
      const std::uint32_t from = end_of(out_.from - Micros{1});
      const std::uint32_t end = end_of(out_.to);
      if (from == batch->batch.header.count) {
        HASTUR_TRY(close->pass(batch));
        continue;
      }
      if (from > 0) HASTUR_TRY(close->pass(some_rows(*batch, 0, from)));
      for (std::uint32_t row = from; row < end; ++row) HASTUR_TRY(look(*close, judge, *batch, row));
      if (end < batch->batch.header.count) break;
    }
    drop_repeated_alerts();
    choose_told();
    out_.keys.assign(keys_.begin(), keys_.end());
    return std::move(out_);
  }

 private:
  void choose_window(const FilterJudge& judge) {
    out_.at = options_.at;
    out_.from = options_.at - options_.around;
    out_.to = options_.at + options_.around;
    if (!options_.widen) return;
    // Backwards from the moment.
    std::size_t found = 0;
    std::size_t passed = 0;
    std::vector<Label> scratch;
    for (auto batch = stream_.batches.rbegin(); batch != stream_.batches.rend(); ++batch) {
      const BatchView view = BatchView::trusted((*batch)->batch.header, (*batch)->batch.body);
      for (std::uint32_t row = view.count(); row > 0;) {
        --row;
        const Time time = time_from_us((*batch)->stream_times[row]);
        if (time > out_.at) continue;
        if (time < out_.at - widen_max || ++passed > looks_max) return;
        const MessageView message = view.message(row, scratch);
        if (message.type == MessageType::tick || !judge.any_takes(message)) continue;
        if (!options_.key.empty() && !concerns(message, options_.key)) continue;
        out_.from = std::min(out_.from, time);
        if (++found == messages_wanted) return;
      }
    }
  }

  Result<void> look(CloseRun& close, const FilterJudge& judge, const InputBatch& batch,
                    std::uint32_t row) {
    if (++looks_ > looks_max) {
      return fail(ErrorCode::full,
                  fmt::format("there are more than {} inputs from {} to {}: give a smaller "
                              "--around",
                              looks_max, format_time(out_.from), format_time(out_.to)));
    }
    Result<std::vector<InputStory>> stories = close.look(batch, row, row);
    if (!stories) return fail(stories.error());
    const BatchView view = BatchView::trusted(batch.batch.header, batch.batch.body);
    std::vector<Label> scratch;
    const Message root(view.message(row, scratch));
    for (InputStory& story : *stories) {
      ExplainedInput input{time_from_us(batch.stream_times[row]),
                           stream_.row_messages[view.sequence(row).value - 1],
                           story.derived ? std::move(*story.derived) : root,
                           story.derived.has_value(),
                           {},
                           {},
                           {},
                           {},
                           std::move(story.alerts),
                           std::move(story.seen),
                           story.effects_cut};
      tell(judge, story, std::move(input));
    }
    return {};
  }

  // Keeps an input if it is one to be told.
  void tell(const FilterJudge& judge, const InputStory& story, ExplainedInput input) {
    // What the platform reports of errors says again what those said.
    std::erase_if(input.seen, [](const Seen& seen) {
      return seen.effect && seen.effect->kind == EffectKind::report;
    });
    if (!input.is_tick()) {
      input.judgements = judge.judge(input.message.view());
      std::erase_if(input.judgements, [](const Judgement& each) { return !each.takes_type; });
      // They point to what the run has loaded; the explanation outlives that.
      for (Judgement& each : input.judgements) each.subscription = own(*each.subscription);
    }
    for (const ObservedCall& call : story.calls) input.calls.push_back(tell(call, input));
    if (story.state.is_known()) {
      input.changes = state_changes(story.state.before, story.state.after,
                                    {input.message.view().deaf, input.time});
    } else {
      input.unknown_changes = story.state.unknown_words();
    }
    note_keys(input);
    const bool nothing = input.calls.empty() && input.changes_nothing() && input.alerts.empty() &&
                         input.seen.empty();
    if (nothing && std::ranges::none_of(input.judgements, &Judgement::is_near) &&
        (options_.key.empty() || input.is_tick() || !concerns(input.message.view(), options_.key)))
      return;
    if (!options_.key.empty() && !is_of_key(input)) {
      ++out_.of_other_keys;
      return;
    }
    out_.inputs.push_back(std::move(input));
  }

  const SubscriptionSpec* own(const SubscriptionSpec& spec) const {
    const auto found =
        std::ranges::find(out_.loaded.subscriptions, spec.callback, &SubscriptionSpec::callback);
    return found == out_.loaded.subscriptions.end() ? &spec : &*found;
  }

  RanCall tell(const ObservedCall& call, const ExplainedInput& input) const {
    RanCall ran;
    ran.callback = call.callback;
    const auto subscription =
        std::ranges::find(out_.loaded.subscriptions, call.callback, &SubscriptionSpec::callback);
    if (subscription != out_.loaded.subscriptions.end()) ran.subscribed_at = subscription->line;
    ran.line = call.steps.empty() ? 0 : call.steps.front().line;
    ran.returned = call.returned;
    ran.instructions = call.instructions;
    ran.lines = ran_lines(call, input.message.view(), lines_);
    return ran;
  }

  void note_keys(const ExplainedInput& input) {
    constexpr std::size_t keys_max = 1'000;
    for (const QuietAlert& alert : input.alerts) keys_.insert(alert.key);
    for (const Seen& seen : input.seen) {
      if (!seen.effect || seen.effect->kind != EffectKind::notification) continue;
      const Result<Json> payload = parse_json(seen.effect->payload);
      if (payload && payload->value("key", Json()).is_string()) keys_.insert((*payload)["key"]);
    }
    while (keys_.size() > keys_max) keys_.erase(std::prev(keys_.end()));
  }

  static bool overlaps(const std::string& a, const std::string& b) {
    return !a.empty() && (a.find(b) != std::string::npos || b.find(a) != std::string::npos);
  }

  bool is_of_key(ExplainedInput& input) const {
    const std::string& key = options_.key;
    std::erase_if(input.alerts, [&](const QuietAlert& alert) {
      return !overlaps(alert.key, key) && !overlaps(alert.alert + "/" + alert.key, key);
    });
    if (!input.is_tick()) return concerns(input.message.view(), key);
    if (!input.alerts.empty()) return true;
    const bool of_effect = std::ranges::any_of(input.seen, [&](const Seen& seen) {
      return seen_words(seen).find(key) != std::string::npos;
    });
    return of_effect || std::ranges::any_of(input.calls, [&](const RanCall& call) {
             return std::ranges::any_of(call.lines, [&](const RanLine& line) {
               return is_about(line, key) ||
                      std::ranges::any_of(line.values, [&](const auto& value) {
                        return value.second.find(key) != std::string::npos;
                      });
             });
           });
  }

  // Ticks that have nothing but what alerts said before already tell nothing, but for the last one
  // before the moment.
  void drop_repeated_alerts() {
    auto& inputs = out_.inputs;
    const auto last = std::ranges::find_if(inputs.rbegin(), inputs.rend(), [&](const auto& input) {
      return input.time <= out_.at && !input.alerts.empty();
    });
    const ExplainedInput* const kept = last == inputs.rend() ? nullptr : &*last;
    std::vector<QuietAlert> told;
    std::vector<ExplainedInput> left;
    for (ExplainedInput& input : inputs) {
      const bool only_alerts =
          input.is_tick() && input.calls.empty() && input.changes_nothing() && input.seen.empty();
      const bool repeated = input.alerts == told;
      if (input.is_tick() && !input.alerts.empty()) told = input.alerts;
      if (!only_alerts || !repeated || &input == kept) left.push_back(std::move(input));
    }
    inputs = std::move(left);
  }

  void choose_told() {
    auto& inputs = out_.inputs;
    const auto moment = std::ranges::find_if(
        inputs, [&](const ExplainedInput& input) { return input.time > out_.at; });
    const auto before = static_cast<std::size_t>(moment - inputs.begin());
    out_.later = inputs.size() - before > told_after ? inputs.size() - before - told_after : 0;
    inputs.erase(inputs.end() - static_cast<std::ptrdiff_t>(out_.later), inputs.end());
    out_.earlier = before > told_before ? before - told_before : 0;
    inputs.erase(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(out_.earlier));
  }

  const TriggerFiles& trigger_;
  const Stream& stream_;
  const ExplainOptions& options_;
  const ScriptLines lines_;
  Explanation out_;
  std::set<std::string> keys_;
  std::size_t looks_ = 0;
};

}  // namespace

Result<Explanation> explain_trigger(const TriggerFiles& trigger, const Stream& stream,
                                    const ExplainOptions& options) {
  return Explainer(trigger, stream, options).run();
}

}  // namespace hastur
