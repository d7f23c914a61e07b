#include "tests/support/fake_worker.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "core/json.h"
#include "message/json_codec.h"
#include "trigger-runtime/protocol/stand_still.h"

namespace hastur::test {
namespace {

std::string gauge_json(const TriggerName& trigger, std::string_view name, double value,
                       std::int64_t time) {
  const std::string uuid = trigger_uuid(trigger);
  const Label label{"trigger", Value::of(std::string_view(trigger))};
  MessageView message;
  message.type = MessageType::gauge;
  message.name = name;
  message.value = Value::of(value);
  message.timestamp = time_from_us(time);
  message.received_at = message.timestamp;
  message.uuid = uuid;
  message.labels = std::span(&label, 1);
  std::string out;
  append_message_json(out, message);
  return out;
}

}  // namespace

WorkerReply FakeWorker::execute(const WorkerCommand& command) {
  if (const auto* load_command = std::get_if<LoadCommand>(&command)) return load(*load_command);
  if (const auto* restore = std::get_if<RestoreCommand>(&command)) {
    Instance& instance = instances_.at(restore->handle);
    put_back(instance, restore->memory);
    instance.guarded = restore->guarded_callbacks;
    ++instance.restores;
    return Restored{restore->handle};
  }
  if (const auto* judge = std::get_if<JudgeCommand>(&command)) {
    Instance& instance = instances_.at(judge->handle);
    instance.judged_at = instance.last_tick.value_or(0);
    if (judge->may_stand_still && !instance.still_since) instance.still_since = instance.judged_at;
    instance.touched = false;
    instance.hash = 0;
    return Judged{
        judge->handle, memory_of(instance, instance.reached, instance.last_tick.value_or(0)), {}};
  }
  if (const auto* unload = std::get_if<UnloadCommand>(&command)) {
    instances_.erase(unload->handle);
    return Unloaded{unload->handle};
  }
  const auto& feed_command = std::get<FeedCommand>(command);
  FeedReply reply;
  for (const TriggerFeed& each : feed_command.triggers)
    reply.triggers.push_back(feed(each, *feed_command.input,
                                  feed_command.slice > Micros{0} ? inputs_a_slice : UINT32_MAX));
  return reply;
}

WorkerReply FakeWorker::load(const LoadCommand& command) {
  Instance instance;
  instance.name = command.name;
  bool broken = false;
  std::istringstream words(command.script.text);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (key == "match") {
      instance.program.match = value;
    } else if (key == "was") {
      instance.program.was.push_back(value);
    } else if (key == "broken") {
      broken = true;
    } else {
      std::uint64_t& number = key == "emit"      ? instance.program.emit
                              : key == "notify"  ? instance.program.notify
                              : key == "resolve" ? instance.program.resolve
                              : key == "keyless" ? instance.program.keyless
                              : key == "raise"   ? instance.program.raise
                              : key == "key"     ? instance.program.key
                              : key == "migrate" ? instance.program.migrate
                              : key == "refuses" ? instance.program.refuses
                              : key == "pad"     ? instance.program.pad
                              : key == "spoils"  ? instance.program.spoils
                                                 : instance.program.every;
      number = std::stoull(value);
    }
  }
  if (broken) return LoadFailed{command.handle, {"it is broken", command.script.path, 1}};
  instance.state = {{"n", 0}, {"sum", 0}, {"ticks", 0}};
  if (instance.program.pad > 0) instance.state["pad"] = std::string(instance.program.pad, 'x');
  instance.judged_state = canonical_json(instance.state);
  if (command.memory) put_back(instance, *command.memory);

  Loaded loaded;
  loaded.handle = command.handle;
  loaded.subscriptions = {{0, {}, canonical_json({{"name", instance.program.match}}), false, 1}};
  loaded.periodic = instance.program.every > 0 ? 1 : 0;
  loaded.state_bytes_max = command.limits.state_bytes_max;
  loaded.was = instance.program.was;
  if (command.migrate_from && instance.program.refuses > 0 &&
      instance.state["n"].get<std::uint64_t>() >= instance.program.refuses)
    return LoadFailed{command.handle, {"that is too much", command.script.path, 4}};
  if (command.migrate_from && instance.program.migrate > 0) {
    if (instance.program.migrate == 13)
      return LoadFailed{command.handle, {"it cannot migrate", command.script.path, 3}};
    instance.state["n"] = instance.state["n"].get<std::uint64_t>() + instance.program.migrate;
    instance.judged_state = canonical_json(instance.state);
    loaded.migrated = instance.judged_state;
  }
  instances_[command.handle] = std::move(instance);
  return loaded;
}

void FakeWorker::put_back(Instance& instance, const Memory& memory) {
  instance.state = parse_json(memory.state).value();
  instance.judged_state = memory.state;
  const Json runtime = parse_json(memory.runtime).value();
  instance.last_tick.reset();
  instance.judged_at.reset();
  if (runtime.contains("last_tick")) instance.last_tick = runtime["last_tick"].get<std::int64_t>();
  if (runtime.contains("judged_at")) instance.judged_at = runtime["judged_at"].get<std::int64_t>();
  instance.still_since.reset();
  if (runtime.contains(still_since_key))
    instance.still_since = runtime[still_since_key].get<std::int64_t>();
  instance.touched = false;
  instance.calls = 0;
  instance.stopped = false;
  instance.yielded = false;
  instance.hash = 0;
  instance.reached = memory.sequence;
}

Memory FakeWorker::memory_of(const Instance& instance, Sequence sequence, std::int64_t time) {
  Json runtime = Json::object();
  if (instance.last_tick) runtime["last_tick"] = *instance.last_tick;
  if (instance.judged_at) runtime["judged_at"] = *instance.judged_at;
  if (instance.still_since) runtime[still_since_key] = *instance.still_since;
  return {sequence, time_from_us(time), canonical_json(instance.state), canonical_json(runtime)};
}

TriggerProgress FakeWorker::feed(const TriggerFeed& feed, const InputBatch& input,
                                 std::uint32_t inputs_max) {
  Instance& instance = instances_.at(feed.handle);
  const Program& program = instance.program;
  const BatchView view = BatchView::trusted(input.batch.header, input.batch.body);
  TriggerProgress progress;
  progress.handle = feed.handle;
  progress.reached = instance.reached;
  const Sequence before{view.sequence(feed.from_row).value - 1};
  if (instance.stopped || (instance.yielded && !feed.goes_on)) return progress;
  instance.yielded = false;
  progress.reached = before;
  std::size_t next_match = 0;
  std::uint32_t inputs = 0;

  for (std::uint32_t row = feed.from_row; row < feed.end_row; ++row) {
    const Sequence sequence = view.sequence(row);
    const bool is_input = static_cast<MessageType>(view.types()[row]) == MessageType::tick ||
                          (next_match < feed.matches.size() && feed.matches[next_match].row == row);
    if (is_input && inputs++ == inputs_max) {
      instance.yielded = true;
      progress.yielded = true;
      break;
    }
    const std::int64_t now = input.stream_times[row];
    std::uint32_t ordinal = 0;
    std::vector<Effect> effects;
    std::optional<CallError> stop;
    const bool touched_before = instance.touched;
    const auto emit = [&](EffectKind kind, std::string payload) {
      effects.push_back({sequence, ordinal++, time_from_us(now), kind, 1, std::move(payload)});
    };
    // Runs one callback as the contract says: skipped, guarded or stopped at an error, and without
    // a trace then. A judgement is as due after a skipped call as it was after the one that failed.
    const auto call = [&](std::uint32_t callback, const auto& body) {
      if (stop) return;
      instance.touched = true;
      if (std::ranges::find(feed.skips, Skip{sequence, callback}) != feed.skips.end()) return;
      ++progress.callbacks;
      const bool raises = program.raise > 0 && callback == 0 && sequence.value % program.raise == 0;
      if (!raises) {
        ++instance.calls;
        if (instance.guarded > 0) --instance.guarded;
        return body();
      }
      const CallError error{CallError::Kind::raised,
                            sequence,
                            time_from_us(now),
                            callback,
                            {"it raised", "fake.lua", 7}};
      if (instance.guarded > 0) {
        --instance.guarded;
        progress.errors.push_back(error);
      } else {
        stop = error;
      }
    };

    if (static_cast<MessageType>(view.types()[row]) == MessageType::tick) {
      const std::int64_t time = view.timestamps()[row];
      const auto period = static_cast<std::int64_t>(program.every * us_per_second);
      if (std::exchange(instance.still_since, std::nullopt)) instance.touched = true;
      if (period > 0 && instance.last_tick && time / period > *instance.last_tick / period) {
        call(1, [&] {
          instance.state["ticks"] = instance.state["ticks"].get<std::int64_t>() + 1;
          emit(EffectKind::message, gauge_json(instance.name, instance.name + ".n",
                                               instance.state["n"].get<double>(), time));
        });
      }
      if (!stop) {
        const bool first = !std::exchange(instance.last_tick, time);
        if (first || !instance.judged_at ||
            (instance.touched && time - *instance.judged_at >= us_per_second)) {
          if (forgets_determinism)
            instance.state["sum"] = instance.state["sum"].get<double>() + instance.restores;
          if (program.spoils > 0 && instance.touched) {
            instance.state = parse_json(instance.judged_state).value();
            progress.callbacks_undone += instance.calls;
            progress.errors.push_back({CallError::Kind::judgement,
                                       sequence,
                                       time_from_us(now),
                                       0,
                                       {"it is spoilt", "fake.lua", 0}});
          }
          instance.judged_at = time;
          instance.touched = false;
          instance.calls = 0;
          instance.hash = 0;
          progress.judged = memory_of(instance, sequence, time);
        }
      }
    }
    while (next_match < feed.matches.size() && feed.matches[next_match].row == row) {
      ++next_match;
      call(0, [&] {
        const std::uint64_t n = instance.state["n"].get<std::uint64_t>() + 1;
        instance.state["n"] = n;
        // Order matters: a swap of two inputs would show.
        instance.state["sum"] =
            (instance.state["sum"].get<std::uint64_t>() * 31 + sequence.value) % 1'000'003;
        if (program.emit > 0 && n % program.emit == 0) {
          emit(EffectKind::message, gauge_json(instance.name, instance.name + ".sum",
                                               instance.state["sum"].get<double>(), now));
        }
        if (program.notify > 0 && n % program.notify == 0) {
          const bool resolves = program.resolve > 0 && n / program.notify % program.resolve == 0;
          const Json options = {{"action", resolves ? "resolve" : "trigger"}};
          emit(EffectKind::notification,
               canonical_json({{"kind", program.keyless > 0 ? "slack" : "pager_duty"},
                               {"key", program.keyless > 0 ? Json(nullptr)
                                       : program.key > 0   ? Json(instance.name + "/k")
                                                           : Json(instance.name)},
                               {"options", resolves ? options : Json::object()},
                               {"text", fmt::format("the {}th", n)}}));
        }
      });
    }
    if (stop) {
      instance.stopped = true;
      instance.touched = touched_before;
      progress.stopped = Stopped{*stop};
      break;
    }
    for (Effect& effect : effects) {
      if (!progress.judged || effect.sequence > progress.judged->sequence) {
        instance.hash = fold_effect(instance.hash, effect);
      }
      progress.effects.push_back(std::move(effect));
    }
    instance.reached = sequence;
    progress.reached = sequence;
  }
  progress.effects_hash = instance.hash;
  progress.touched = instance.touched;
  return progress;
}

}  // namespace hastur::test
