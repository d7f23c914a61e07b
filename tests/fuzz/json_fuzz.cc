// Garbage handed to the decoder of datagrams. What it takes must pass through a batch and come back
// from its own text as it was.

#include "core/check.h"
#include "message/batch.h"
#include "message/json_codec.h"
#include "tests/fuzz/fuzz.h"

std::vector<std::string> fuzz_seeds() {
  return {
      R"({"type":"gauge","name":"my.gauge","value":371.1,"timestamp":1335826232943810,)"
      R"("uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2","labels":{"app":"x","pid":17}})",
      R"({"type":"event","name":"disk","subject":"full","body":"b","attn":["ops","dev"],"labels":{}})",
      R"({"type":"compound","name":"c","value":{"a":[1,2.5e3,{"b":null}],"\u00e9":"\ud83d\udd25"}})",
      R"({"type":"mark","name":"deploy","value":null,"timestamp":1335826232})",
      R"({"type":"hb_process","name":"h","value":0,"timeout":30.5})",
      R"({"type":"log","subject":"s","data":{"x":true},"unknown":[[[]]]})",
      R"({"type":"reg_agent","hostname":"web-1","ipv4":"10.0.0.1"})",
  };
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hastur;
  JsonDecoder::Defaults defaults;
  defaults.received_at = time_from_us(1'700'000'000'000'000);
  defaults.uuid = "00000000-0000-4000-8000-000000000001";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static JsonDecoder decoder;
  const auto decoded = decoder.decode(text, defaults);
  if (const auto* const refused = std::get_if<JsonDecoder::Refused>(&decoded)) {
    const Message error = refused_message(*refused, text, defaults.uuid, defaults.received_at);
    BatchBuilder builder;
    builder.add(error.view());
    const Batch batch = builder.finish({}, {1}, Time{});
    HASTUR_CHECK(BatchView::open(batch.header, batch.body).has_value(),
                 "a refusal can stand in a batch");
    return 0;
  }
  const Message message(std::get<MessageView>(decoded));
  BatchBuilder builder;
  builder.add(message.view());
  const Batch batch = builder.finish({}, {1}, Time{});
  const auto view = BatchView::open(batch.header, batch.body);
  HASTUR_CHECK(view.has_value(), "a decoded message can stand in a batch");
  std::vector<Label> scratch;
  HASTUR_CHECK(same_message(view->message(0, scratch), message.view()),
               "a batch gives the message back");
  std::string written;
  append_message_json(written, message.view());
  defaults.recorded = true;
  HASTUR_CHECK(std::holds_alternative<MessageView>(decoder.decode(written, defaults)),
               "what is written can be read");
  return 0;
}
