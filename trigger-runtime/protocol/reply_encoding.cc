#include "trigger-runtime/protocol/encoding.h"
#include "trigger-runtime/protocol/memory_encoding.h"

namespace hastur {
namespace {

enum class ReplyKind : std::uint8_t {
  loaded = 1,
  load_failed = 2,
  restored = 3,
  feed = 4,
  judged = 5,
  unloaded = 6,
  observed = 7,
  evaluated = 8
};

// A subscription names each type at most once, and there are sixteen.
constexpr std::uint32_t subscription_types_max = 32;

void begin(MsgpackWriter& out, ReplyKind kind) {
  out.unsigned_integer(static_cast<std::uint8_t>(kind));
}

void put(MsgpackWriter& out, const CallError& error) {
  out.array(7);
  out.unsigned_integer(static_cast<std::uint8_t>(error.kind));
  out.unsigned_integer(error.sequence.value);
  put_time(out, error.time);
  out.unsigned_integer(error.callback);
  put_error(out, error.error);
}

CallError take_call_error(FieldReader& in) {
  CallError error;
  in.fields(7);
  error.kind =
      static_cast<CallError::Kind>(in.u32(static_cast<std::uint32_t>(CallError::Kind::judgement)));
  error.sequence = in.sequence();
  error.time = in.time();
  error.callback = in.u32();
  error.error = take_error(in);
  return error;
}

void put(MsgpackWriter& out, const SubscriptionSpec& spec) {
  out.array(5);
  out.unsigned_integer(spec.callback);
  out.array(static_cast<std::uint32_t>(spec.types.size()));
  for (const MessageType type : spec.types) out.unsigned_integer(static_cast<std::uint8_t>(type));
  out.bytes(spec.filter);
  out.boolean(spec.own);
  out.unsigned_integer(spec.line);
}

SubscriptionSpec take_subscription(FieldReader& in) {
  SubscriptionSpec spec;
  in.fields(5);
  spec.callback = in.u32();
  const std::uint32_t types = in.array(subscription_types_max);
  for (std::uint32_t i = 0; i < types && in.ok(); ++i) {
    const auto type = type_from_wire_id(static_cast<std::uint8_t>(in.u32(255)));
    if (!type) in.refuse();
    spec.types.push_back(type.value_or(MessageType::noop));
  }
  spec.filter = in.text();
  spec.own = in.truth();
  spec.line = in.u32();
  return spec;
}

void put(MsgpackWriter& out, const Effect& effect) {
  out.array(6);
  out.unsigned_integer(effect.sequence.value);
  out.unsigned_integer(effect.ordinal);
  put_time(out, effect.time);
  out.unsigned_integer(static_cast<std::uint8_t>(effect.kind));
  out.unsigned_integer(effect.depth);
  out.bytes(effect.payload);
}

Effect take_effect(FieldReader& in) {
  Effect effect;
  in.fields(6);
  effect.sequence = in.sequence();
  effect.ordinal = in.u32();
  effect.time = in.time();
  const std::uint32_t kind = in.u32(static_cast<std::uint32_t>(EffectKind::report));
  if (kind == 0) in.refuse();
  effect.kind = static_cast<EffectKind>(kind);
  effect.depth = static_cast<std::uint8_t>(in.u32(255));
  effect.payload = in.text();
  return effect;
}

void put(MsgpackWriter& out, const TriggerProgress& progress) {
  out.array(15);
  out.unsigned_integer(progress.handle.value);
  out.unsigned_integer(progress.reached.value);
  out.array(static_cast<std::uint32_t>(progress.effects.size()));
  for (const Effect& effect : progress.effects) put(out, effect);
  out.array(static_cast<std::uint32_t>(progress.errors.size()));
  for (const CallError& error : progress.errors) put(out, error);
  out.array(progress.judged ? 1 : 0);
  if (progress.judged) put_memory(out, *progress.judged);
  out.array(progress.stopped ? 1 : 0);
  if (progress.stopped) put(out, progress.stopped->error);
  out.boolean(progress.yielded);
  out.unsigned_integer(progress.effects_hash);
  out.boolean(progress.touched);
  out.boolean(progress.wants_ticks);
  out.unsigned_integer(progress.callbacks);
  out.unsigned_integer(progress.instructions);
  out.unsigned_integer(progress.effects_cut);
  out.unsigned_integer(progress.callbacks_undone);
  out.unsigned_integer(progress.helpers_dropped);
  out.integer(progress.cpu.count());
}

// `effects_left` is counted down over the whole reply.
TriggerProgress take_progress(FieldReader& in, std::uint32_t& effects_left) {
  TriggerProgress progress;
  in.fields(15);
  progress.handle = {in.u32()};
  progress.reached = in.sequence();
  const std::uint32_t effects = in.array(effects_left);
  effects_left -= effects;
  for (std::uint32_t i = 0; i < effects && in.ok(); ++i)
    progress.effects.push_back(take_effect(in));
  const std::uint32_t errors = in.array(effects_left);
  effects_left -= errors;
  for (std::uint32_t i = 0; i < errors && in.ok(); ++i) {
    progress.errors.push_back(take_call_error(in));
  }
  if (in.present()) progress.judged = take_memory(in);
  if (in.present()) progress.stopped = Stopped{take_call_error(in)};
  progress.yielded = in.truth();
  progress.effects_hash = in.u64();
  progress.touched = in.truth();
  progress.wants_ticks = in.truth();
  progress.callbacks = in.u64();
  progress.instructions = in.u64();
  progress.effects_cut = in.u64();
  progress.callbacks_undone = in.u64();
  progress.helpers_dropped = in.u64();
  progress.cpu = Micros{in.i64()};
  return progress;
}

void put(MsgpackWriter& out, const Loaded& loaded) {
  begin(out, ReplyKind::loaded);
  out.unsigned_integer(loaded.handle.value);
  out.array(static_cast<std::uint32_t>(loaded.subscriptions.size()));
  for (const SubscriptionSpec& spec : loaded.subscriptions) put(out, spec);
  out.unsigned_integer(loaded.periodic);
  out.unsigned_integer(loaded.state_bytes_max);
  out.boolean(loaded.isolated);
  out.array(static_cast<std::uint32_t>(loaded.was.size()));
  for (const std::string& name : loaded.was) out.bytes(name);
  out.array(loaded.migrated ? 1 : 0);
  if (loaded.migrated) out.bytes(*loaded.migrated);
  out.array(loaded.warmed ? 1 : 0);
  if (loaded.warmed) put_memory(out, *loaded.warmed);
  out.array(static_cast<std::uint32_t>(loaded.helpers.size()));
  for (const HelperSpec& helper : loaded.helpers) {
    out.bytes(helper.state_key);
    out.bytes(helper.declared);
    out.integer(helper.reach.count());
  }
}

Loaded take_loaded(FieldReader& in) {
  Loaded loaded;
  loaded.handle = {in.u32()};
  const std::uint32_t subscriptions = in.array(subscriptions_max);
  for (std::uint32_t i = 0; i < subscriptions && in.ok(); ++i) {
    loaded.subscriptions.push_back(take_subscription(in));
  }
  loaded.periodic = in.u32();
  loaded.state_bytes_max = in.u64();
  loaded.isolated = in.truth();
  const std::uint32_t names = in.array(former_names_max);
  for (std::uint32_t i = 0; i < names && in.ok(); ++i) loaded.was.push_back(in.text());
  if (in.present()) loaded.migrated = in.text();
  if (in.present()) loaded.warmed = take_memory(in);
  const std::uint32_t helpers = in.array(helpers_max);
  for (std::uint32_t i = 0; i < helpers && in.ok(); ++i) {
    HelperSpec& helper = loaded.helpers.emplace_back();
    helper.state_key = in.text();
    helper.declared = in.text();
    helper.reach = Micros{in.i64()};
  }
  return loaded;
}

void put(MsgpackWriter& out, const Judged& judged) {
  begin(out, ReplyKind::judged);
  out.unsigned_integer(judged.handle.value);
  put_memory(out, judged.memory);
  out.array(judged.error ? 1 : 0);
  if (judged.error) put(out, *judged.error);
}

Judged take_judged(FieldReader& in) {
  Judged judged;
  judged.handle = {in.u32()};
  judged.memory = take_memory(in);
  if (in.present()) judged.error = take_call_error(in);
  return judged;
}

FeedReply take_feed_reply(FieldReader& in, std::size_t triggers_max) {
  FeedReply reply;
  const std::uint32_t triggers = in.array(triggers_max);
  std::uint32_t effects_left = reply_effects_max;
  reply.triggers.reserve(triggers);
  for (std::uint32_t i = 0; i < triggers && in.ok(); ++i) {
    reply.triggers.push_back(take_progress(in, effects_left));
  }
  return reply;
}

WorkerReply take_reply(FieldReader& in, std::size_t triggers_max) {
  switch (static_cast<ReplyKind>(in.u32(255))) {
    case ReplyKind::loaded:
      return take_loaded(in);
    case ReplyKind::load_failed: {
      const TriggerHandle handle{in.u32()};
      return LoadFailed{handle, take_error(in)};
    }
    case ReplyKind::restored:
      return Restored{{in.u32()}};
    case ReplyKind::feed:
      return take_feed_reply(in, triggers_max);
    case ReplyKind::judged:
      return take_judged(in);
    case ReplyKind::unloaded:
      return Unloaded{{in.u32()}};
    case ReplyKind::observed: {
      const TriggerHandle handle{in.u32()};
      return Observed{handle, in.text()};
    }
    case ReplyKind::evaluated: {
      Evaluated evaluated;
      evaluated.json = in.text();
      if (in.present()) evaluated.error = take_error(in);
      return evaluated;
    }
  }
  in.refuse();
  return Unloaded{};
}

}  // namespace

void encode_reply(std::string& out, const WorkerReply& reply) {
  MsgpackWriter writer(out);
  if (const auto* loaded = std::get_if<Loaded>(&reply)) {
    put(writer, *loaded);
  } else if (const auto* failed = std::get_if<LoadFailed>(&reply)) {
    begin(writer, ReplyKind::load_failed);
    writer.unsigned_integer(failed->handle.value);
    put_error(writer, failed->error);
  } else if (const auto* restored = std::get_if<Restored>(&reply)) {
    begin(writer, ReplyKind::restored);
    writer.unsigned_integer(restored->handle.value);
  } else if (const auto* feed = std::get_if<FeedReply>(&reply)) {
    begin(writer, ReplyKind::feed);
    writer.array(static_cast<std::uint32_t>(feed->triggers.size()));
    for (const TriggerProgress& progress : feed->triggers) put(writer, progress);
  } else if (const auto* judged = std::get_if<Judged>(&reply)) {
    put(writer, *judged);
  } else if (const auto* observed = std::get_if<Observed>(&reply)) {
    begin(writer, ReplyKind::observed);
    writer.unsigned_integer(observed->handle.value);
    writer.bytes(observed->json);
  } else if (const auto* evaluated = std::get_if<Evaluated>(&reply)) {
    begin(writer, ReplyKind::evaluated);
    writer.bytes(evaluated->json);
    writer.array(evaluated->error ? 1 : 0);
    if (evaluated->error) put_error(writer, *evaluated->error);
  } else {
    begin(writer, ReplyKind::unloaded);
    writer.unsigned_integer(std::get<Unloaded>(reply).handle.value);
  }
}

Result<WorkerReply> decode_reply(std::string_view bytes, std::size_t triggers_max) {
  FieldReader in(bytes);
  WorkerReply reply = take_reply(in, triggers_max);
  if (!in.done()) return fail(ErrorCode::corrupt, "the reply is not well-formed");
  return reply;
}

}  // namespace hastur
