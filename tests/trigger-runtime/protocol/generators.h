#pragma once

// Generated commands and replies for property tests.

#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "trigger-runtime/protocol/encoding.h"

namespace hastur::testing {

inline std::string any_text() { return *rc::gen::arbitrary<std::string>(); }
template <class T>
T any_number() {
  return *rc::gen::arbitrary<T>();
}
inline Sequence any_sequence() { return {any_number<std::uint64_t>()}; }
inline Time any_time() { return time_from_us(any_number<std::int64_t>()); }
inline TriggerHandle any_handle() { return {any_number<std::uint32_t>()}; }
inline bool any_truth() { return any_number<bool>(); }

template <class Make>
auto some(Make make) {
  std::vector<decltype(make())> all;
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) all.push_back(make());
  return all;
}
template <class Make>
auto perhaps(Make make) {
  std::optional<decltype(make())> one;
  if (any_truth()) one = make();
  return one;
}

inline Memory any_memory() { return {any_sequence(), any_time(), any_text(), any_text()}; }
inline ScriptFile any_file() { return {any_text(), any_text()}; }
inline ScriptError any_script_error() {
  return {any_text(), any_text(), any_number<std::uint32_t>()};
}
inline CallError any_call_error() {
  return {static_cast<CallError::Kind>(*rc::gen::inRange(0, 4)), any_sequence(), any_time(),
          any_number<std::uint32_t>(), any_script_error()};
}
inline Effect any_effect() {
  return {any_sequence(),
          any_number<std::uint32_t>(),
          any_time(),
          static_cast<EffectKind>(*rc::gen::inRange(1, 5)),
          any_number<std::uint8_t>(),
          any_text()};
}

inline LoadCommand any_load() {
  LoadCommand load;
  load.handle = any_handle();
  load.name = any_text();
  load.run = {any_number<std::uint64_t>()};
  load.script = any_file();
  load.libraries = some(any_file);
  load.limits = {any_number<std::uint64_t>(), any_number<std::uint32_t>(),
                 any_number<std::uint32_t>(), any_number<std::uint32_t>(),
                 any_number<std::uint32_t>(), any_number<std::uint64_t>(),
                 any_number<std::uint64_t>()};
  load.guards = {any_number<std::uint64_t>()};
  load.memory = perhaps(any_memory);
  load.migrate_from = perhaps(any_text);
  load.compare_each_call = any_truth();
  return load;
}

inline TriggerFeed any_trigger_feed() {
  return {any_handle(), any_number<std::uint32_t>(), any_number<std::uint32_t>(), some([] {
            return Match{any_number<std::uint32_t>(), any_number<std::uint32_t>()};
          }),
          some([] {
            return Skip{any_sequence(), any_number<std::uint32_t>(), any_script_error()};
          })};
}

inline WorkerCommand any_command() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return any_load();
    case 1:
      return RestoreCommand{any_handle(), any_memory(), any_number<std::uint32_t>()};
    case 2:
      return FeedCommand{nullptr, some(any_trigger_feed), Micros{any_number<std::int64_t>()}};
    case 3:
      return JudgeCommand{any_handle(), *rc::gen::arbitrary<bool>()};
    case 4:
      return ObserveCommand{any_handle(),
                            static_cast<ObserveCommand::What>(*rc::gen::inRange(0, 3))};
    case 5:
      return EvaluateCommand{any_file(), some(any_file), any_number<std::uint64_t>()};
    default:
      return UnloadCommand{any_handle()};
  }
}

inline Region any_region() { return {any_number<std::uint64_t>(), any_number<std::uint64_t>()}; }

inline PlacedInput any_placed_input() {
  PlacedInput input;
  for (std::uint8_t& byte : input.header.stream.bytes) byte = any_number<std::uint8_t>();
  input.header.first = any_sequence();
  input.header.count = *rc::gen::inRange<std::uint32_t>(0, batch_rows_max);
  input.header.stream_time_before = any_time();
  input.header.checksum = any_number<std::uint64_t>();
  input.body = any_region();
  input.stream_times = any_region();
  return input;
}

inline SubscriptionSpec any_subscription() {
  return {any_number<std::uint32_t>(),
          some([] { return *rc::gen::element(MessageType::gauge, MessageType::event); }),
          any_text(), any_truth(), any_number<std::uint32_t>()};
}

inline TriggerProgress any_progress() {
  TriggerProgress progress;
  progress.handle = any_handle();
  progress.reached = any_sequence();
  progress.effects = some(any_effect);
  progress.errors = some(any_call_error);
  progress.judged = perhaps(any_memory);
  progress.stopped = perhaps([] { return Stopped{any_call_error()}; });
  progress.yielded = any_truth();
  progress.effects_hash = any_number<std::uint64_t>();
  progress.touched = any_truth();
  progress.callbacks = any_number<std::uint64_t>();
  progress.callbacks_undone = any_number<std::uint64_t>();
  progress.instructions = any_number<std::uint64_t>();
  progress.cpu = Micros{any_number<std::int64_t>()};
  return progress;
}

inline WorkerReply any_reply() {
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      return Loaded{any_handle(),
                    some(any_subscription),
                    any_number<std::uint32_t>(),
                    any_number<std::uint64_t>(),
                    any_truth(),
                    some(any_text),
                    perhaps(any_text)};
    case 1:
      return LoadFailed{any_handle(), any_script_error()};
    case 2:
      return Restored{any_handle()};
    case 3:
      return FeedReply{some(any_progress)};
    case 4:
      return Judged{any_handle(), any_memory(), perhaps(any_call_error)};
    case 5:
      return Observed{any_handle(), any_text()};
    case 6:
      return Evaluated{any_text(), perhaps(any_script_error)};
    default:
      return Unloaded{any_handle()};
  }
}

}  // namespace hastur::testing
