// What a hostile worker may write: notices, and replies up to the check of what it may say.

#include "core/check.h"
#include "tests/fuzz/fuzz.h"
#include "trigger-runtime/host/reply_check.h"
#include "trigger-runtime/protocol/encoding.h"

namespace hastur {
namespace {

std::string encoded(char kind, const WorkerReply& reply) {
  std::string bytes(1, kind);
  encode_reply(bytes, reply);
  return bytes;
}

LoadCommand load() {
  LoadCommand command;
  command.handle = {1};
  return command;
}

FeedCommand feed() {
  auto input = std::make_shared<InputBatch>();
  input->batch.header.first = {100};
  input->batch.header.count = 4;
  input->stream_times = {1000, 1000, 2000, 3000};
  return {input, {{{1}, 1, 4, {}, {}}}};
}

TriggerProgress progress() {
  TriggerProgress made;
  made.handle = {1};
  made.reached = {102};
  made.effects = {{{101}, 0, time_from_us(1000), EffectKind::log, 1, "{\"text\":\"hi\"}"},
                  {{102}, 0, time_from_us(2000), EffectKind::message, 1, "{\"a\":[1]}"}};
  made.errors = {{CallError::Kind::raised, {101}, time_from_us(1000), 0, {"text", "a.lua", 1}}};
  made.judged = Memory{{101}, time_from_us(1000), "{}", "{}"};
  made.stopped =
      Stopped{{CallError::Kind::memory, {103}, time_from_us(3000), 0, {"text", "a.lua", 1}}};
  return made;
}

}  // namespace
}  // namespace hastur

std::vector<std::string> fuzz_seeds() {
  using namespace hastur;
  return {encoded('l',
                  Loaded{{1}, {{0, {MessageType::gauge}, "{\"name\":\"a*\"}", false, 3}}, 1, 1024}),
          encoded('l', LoadFailed{{1}, {"text", "a.lua", 1}}),
          encoded('f', FeedReply{{progress()}}),
          encoded('j', Judged{{1}, {{0}, {}, "{\"a\":1}", "{}"}, {}}),
          'n' + encode_notice(WorkerNotice{Hello{1, {"no Landlock"}}}),
          'n' + encode_notice(WorkerNotice{ReplyNotice{1, {4096, 100}}})};
}

// The first byte chooses what is read, and what the worker was asked.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hastur;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'n') {
    if (const auto notice = decode_worker_notice(bytes)) {
      HASTUR_CHECK(decode_worker_notice(encode_notice(*notice)).has_value(),
                   "a notice that was read can be written");
    }
    return 0;
  }
  const auto reply = decode_reply(bytes, 1);
  if (!reply) return 0;
  std::string again;
  encode_reply(again, *reply);
  HASTUR_CHECK(decode_reply(again, 1).has_value(), "a reply that was read can be written");

  ReplyCheck check;
  check.sent(load());
  if (data[0] == 'l') {
    static_cast<void>(check.answered(*reply));
    return 0;
  }
  HASTUR_CHECK(check.answered(Loaded{{1}, {}, 0, 0}).has_value(), "an honest load is allowed");
  if (data[0] == 'f') {
    const FeedCommand command = feed();
    check.sent(command);
    if (!check.answered(*reply)) return 0;
    for (const Effect& effect : std::get<FeedReply>(*reply).triggers.at(0).effects) {
      HASTUR_CHECK(effect.sequence >= Sequence{101} && effect.sequence <= Sequence{103},
                   "an effect is of a row that was fed");
    }
  } else {
    check.sent(JudgeCommand{{1}});
    static_cast<void>(check.answered(*reply));
  }
  return 0;
}
