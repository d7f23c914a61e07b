#include <cstring>

#include "trigger-runtime/protocol/encoding.h"
#include "trigger-runtime/protocol/memory_encoding.h"

namespace hastur {
namespace {

// The first byte; the variants' order is not part of the format.
enum class CommandKind : std::uint8_t {
  load = 1,
  restore = 2,
  feed = 3,
  judge = 4,
  unload = 5,
  observe = 6,
  evaluate = 7
};

void put_file(MsgpackWriter& out, const ScriptFile& file) {
  out.bytes(file.path);
  out.bytes(file.text);
}

ScriptFile take_file(FieldReader& in) {
  ScriptFile file;
  file.path = in.text();
  file.text = in.text();
  return file;
}

void put(MsgpackWriter& out, const LoadCommand& load) {
  out.unsigned_integer(static_cast<std::uint8_t>(CommandKind::load));
  out.unsigned_integer(load.handle.value);
  out.bytes(load.name);
  out.unsigned_integer(load.run.value);
  put_file(out, load.script);
  out.array(static_cast<std::uint32_t>(load.libraries.size()));
  for (const ScriptFile& library : load.libraries) put_file(out, library);
  const CountedLimits& limits = load.limits;
  out.unsigned_integer(limits.instructions_max);
  out.unsigned_integer(limits.effects_max);
  out.unsigned_integer(limits.notifications_max);
  out.unsigned_integer(limits.messages_per_minute_max);
  out.unsigned_integer(limits.log_bytes_per_minute_max);
  out.unsigned_integer(limits.state_bytes_max);
  out.unsigned_integer(limits.state_bytes_ceiling);
  out.unsigned_integer(load.guards.memory_bytes_min);
  out.array(load.memory ? 1 : 0);
  if (load.memory) put_memory(out, *load.memory);
  out.array(load.migrate_from ? 1 : 0);
  if (load.migrate_from) out.bytes(*load.migrate_from);
  out.boolean(load.compare_each_call);
  out.array(load.warm ? 1 : 0);
  if (load.warm) {
    put_time(out, load.warm->at);
    put_time(out, load.warm->now);
    out.bytes(load.warm->helpers);
  }
}

LoadCommand take_load(FieldReader& in) {
  LoadCommand load;
  load.handle = {in.u32()};
  load.name = in.text();
  load.run = {in.u64()};
  load.script = take_file(in);
  const std::uint32_t libraries = in.array();
  for (std::uint32_t i = 0; i < libraries && in.ok(); ++i) load.libraries.push_back(take_file(in));
  load.limits.instructions_max = in.u64();
  load.limits.effects_max = in.u32();
  load.limits.notifications_max = in.u32();
  load.limits.messages_per_minute_max = in.u32();
  load.limits.log_bytes_per_minute_max = in.u32();
  load.limits.state_bytes_max = in.u64();
  load.limits.state_bytes_ceiling = in.u64();
  load.guards.memory_bytes_min = in.u64();
  if (in.present()) load.memory = take_memory(in);
  if (in.present()) load.migrate_from = in.text();
  load.compare_each_call = in.truth();
  if (in.present()) {
    WarmHelpers& warm = load.warm.emplace();
    warm.at = in.time();
    warm.now = in.time();
    warm.helpers = in.text();
  }
  return load;
}

void put(MsgpackWriter& out, const RestoreCommand& restore) {
  out.unsigned_integer(static_cast<std::uint8_t>(CommandKind::restore));
  out.unsigned_integer(restore.handle.value);
  put_memory(out, restore.memory);
  out.unsigned_integer(restore.guarded_callbacks);
}

RestoreCommand take_restore(FieldReader& in) {
  RestoreCommand restore;
  restore.handle = {in.u32()};
  restore.memory = take_memory(in);
  restore.guarded_callbacks = in.u32();
  return restore;
}

// Matches are copied as they stand in memory: two numbers of 4 bytes each.
static_assert(sizeof(Match) == 8 && std::is_trivially_copyable_v<Match>);

void put(MsgpackWriter& out, const TriggerFeed& feed) {
  out.unsigned_integer(feed.handle.value);
  out.unsigned_integer(feed.from_row);
  out.unsigned_integer(feed.end_row);
  out.bytes(
      {reinterpret_cast<const char*>(feed.matches.data()), feed.matches.size() * sizeof(Match)});
  out.array(static_cast<std::uint32_t>(feed.skips.size()));
  for (const Skip& skip : feed.skips) {
    out.unsigned_integer(skip.sequence.value);
    out.unsigned_integer(skip.callback);
    put_error(out, skip.error);
  }
  out.boolean(feed.goes_on);
}

TriggerFeed take_feed(FieldReader& in) {
  TriggerFeed feed;
  feed.handle = {in.u32()};
  feed.from_row = in.u32();
  feed.end_row = in.u32();
  const std::string_view matches = in.bytes();
  if (matches.size() % sizeof(Match) != 0) in.refuse();
  if (in.ok() && !matches.empty()) {
    feed.matches.resize(matches.size() / sizeof(Match));
    std::memcpy(feed.matches.data(), matches.data(), matches.size());
  }
  const std::uint32_t skips = in.array();
  for (std::uint32_t i = 0; i < skips && in.ok(); ++i) {
    Skip& skip = feed.skips.emplace_back();
    skip.sequence = in.sequence();
    skip.callback = in.u32();
    skip.error = take_error(in);
  }
  feed.goes_on = in.truth();
  return feed;
}

void put(MsgpackWriter& out, const PlacedInput& input) {
  const BatchHeader& header = input.header;
  out.bytes(
      {reinterpret_cast<const char*>(header.stream.bytes.data()), header.stream.bytes.size()});
  out.unsigned_integer(header.first.value);
  out.unsigned_integer(header.count);
  put_time(out, header.stream_time_before);
  out.unsigned_integer(header.checksum);
  put_region(out, input.body);
  put_region(out, input.stream_times);
}

PlacedInput take_input(FieldReader& in) {
  PlacedInput input;
  const std::string_view stream = in.bytes();
  if (stream.size() != input.header.stream.bytes.size()) {
    in.refuse();
  } else {
    std::memcpy(input.header.stream.bytes.data(), stream.data(), stream.size());
  }
  input.header.first = in.sequence();
  input.header.count = in.u32(batch_rows_max);
  input.header.stream_time_before = in.time();
  input.header.checksum = in.u64();
  input.body = take_region(in);
  input.stream_times = take_region(in);
  return input;
}

void put(MsgpackWriter& out, const FeedCommand& feed, const PlacedInput& input) {
  out.unsigned_integer(static_cast<std::uint8_t>(CommandKind::feed));
  put(out, input);
  out.array(static_cast<std::uint32_t>(feed.triggers.size()));
  for (const TriggerFeed& trigger : feed.triggers) put(out, trigger);
  out.integer(feed.slice.count());
  out.unsigned_integer(feed.instructions_slice);
}

PlacedFeed take_placed_feed(FieldReader& in) {
  PlacedFeed feed;
  feed.input = take_input(in);
  const std::uint32_t triggers = in.array();
  feed.triggers.reserve(triggers);
  for (std::uint32_t i = 0; i < triggers && in.ok(); ++i) feed.triggers.push_back(take_feed(in));
  feed.slice = Micros{in.i64()};
  feed.instructions_slice = in.u64();
  return feed;
}

void put(MsgpackWriter& out, const ObserveCommand& observe) {
  out.unsigned_integer(static_cast<std::uint8_t>(CommandKind::observe));
  out.unsigned_integer(observe.handle.value);
  out.unsigned_integer(static_cast<std::uint8_t>(observe.what));
}

JudgeCommand take_judge(FieldReader& in) {
  const TriggerHandle handle{in.u32()};
  return {handle, in.truth()};
}

ObserveCommand take_observe(FieldReader& in) {
  ObserveCommand observe;
  observe.handle = {in.u32()};
  observe.what = static_cast<ObserveCommand::What>(
      in.u32(static_cast<std::uint32_t>(ObserveCommand::What::calls)));
  return observe;
}

void put(MsgpackWriter& out, const EvaluateCommand& evaluate) {
  out.unsigned_integer(static_cast<std::uint8_t>(CommandKind::evaluate));
  put_file(out, evaluate.script);
  out.array(static_cast<std::uint32_t>(evaluate.libraries.size()));
  for (const ScriptFile& library : evaluate.libraries) put_file(out, library);
  out.unsigned_integer(evaluate.instructions_max);
}

EvaluateCommand take_evaluate(FieldReader& in) {
  EvaluateCommand evaluate;
  evaluate.script = take_file(in);
  const std::uint32_t libraries = in.array();
  for (std::uint32_t i = 0; i < libraries && in.ok(); ++i)
    evaluate.libraries.push_back(take_file(in));
  evaluate.instructions_max = in.u64();
  return evaluate;
}

ReceivedCommand take_command(FieldReader& in) {
  switch (static_cast<CommandKind>(in.u32(255))) {
    case CommandKind::load:
      return take_load(in);
    case CommandKind::restore:
      return take_restore(in);
    case CommandKind::feed:
      return take_placed_feed(in);
    case CommandKind::judge:
      return take_judge(in);
    case CommandKind::unload:
      return UnloadCommand{{in.u32()}};
    case CommandKind::observe:
      return take_observe(in);
    case CommandKind::evaluate:
      return take_evaluate(in);
  }
  in.refuse();
  return UnloadCommand{};
}

}  // namespace

void encode_command(std::string& out, const WorkerCommand& command, const PlacedInput& input) {
  MsgpackWriter writer(out);
  if (const auto* load = std::get_if<LoadCommand>(&command)) {
    put(writer, *load);
  } else if (const auto* restore = std::get_if<RestoreCommand>(&command)) {
    put(writer, *restore);
  } else if (const auto* feed = std::get_if<FeedCommand>(&command)) {
    put(writer, *feed, input);
  } else if (const auto* judge = std::get_if<JudgeCommand>(&command)) {
    writer.unsigned_integer(static_cast<std::uint8_t>(CommandKind::judge));
    writer.unsigned_integer(judge->handle.value);
    writer.boolean(judge->may_stand_still);
  } else if (const auto* observe = std::get_if<ObserveCommand>(&command)) {
    put(writer, *observe);
  } else if (const auto* evaluate = std::get_if<EvaluateCommand>(&command)) {
    put(writer, *evaluate);
  } else {
    writer.unsigned_integer(static_cast<std::uint8_t>(CommandKind::unload));
    writer.unsigned_integer(std::get<UnloadCommand>(command).handle.value);
  }
}

Result<ReceivedCommand> decode_command(std::string_view bytes) {
  FieldReader in(bytes);
  ReceivedCommand command = take_command(in);
  if (!in.done()) return fail(ErrorCode::corrupt, "what lies in the input memory is not a command");
  return command;
}

}  // namespace hastur
