#include "message/json_codec.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "message/msgpack.h"
#include "tests/message/generators.h"

namespace hastur {
namespace {

constexpr std::string_view own_uuid = "00000000-0000-4000-8000-000000000001";
const Time received = time_from_us(1'700'000'000'000'000);

JsonDecoder::Defaults at_the_door() {
  JsonDecoder::Defaults defaults;
  defaults.received_at = received;
  defaults.uuid = own_uuid;
  return defaults;
}
JsonDecoder::Defaults in_a_recording() {
  JsonDecoder::Defaults defaults = at_the_door();
  defaults.recorded = true;
  return defaults;
}

// Each test decodes into the memory of the text before.
class JsonCodec : public ::testing::Test {
 protected:
  MessageView take(std::string_view text, const JsonDecoder::Defaults& defaults = at_the_door()) {
    auto decoded = decoder_.decode(text, defaults);
    if (const auto* refused = std::get_if<JsonDecoder::Refused>(&decoded)) {
      ADD_FAILURE() << text << " was refused: " << refused->text;
      return {};
    }
    return std::get<MessageView>(decoded);
  }
  // The name of the refusal; "taken" if there was none.
  std::string_view refusal_of(std::string_view text,
                              const JsonDecoder::Defaults& defaults = at_the_door()) {
    const auto decoded = decoder_.decode(text, defaults);
    const auto* refused = std::get_if<JsonDecoder::Refused>(&decoded);
    if (refused == nullptr) return "taken";
    EXPECT_FALSE(refused->text.empty());
    return refusal_name(refused->why);
  }
  static Json fields_of(const MessageView& message) {
    if (message.fields.empty()) return Json::object();
    EXPECT_TRUE(is_json_msgpack(message.fields));
    EXPECT_TRUE(is_sorted_msgpack_map(message.fields));
    return Json::from_msgpack(message.fields.begin(), message.fields.end());
  }
  static std::string json_of(const MessageView& message) {
    std::string out;
    append_message_json(out, message);
    return out;
  }

  JsonDecoder decoder_;
};

TEST_F(JsonCodec, DecodesTheDesignsExample) {
  const MessageView message = take(
      R"({"type":"gauge","name":"my.gauge","value":371.1,"timestamp":1335826232943810,
          "uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2","labels":{"app":"x","pid":17}})");
  EXPECT_EQ(message.type, MessageType::gauge);
  EXPECT_EQ(message.name, "my.gauge");
  EXPECT_EQ(message.value, Value::of(371.1));
  EXPECT_EQ(to_us(message.timestamp), 1'335'826'232'943'810);
  EXPECT_EQ(message.received_at, received);
  EXPECT_EQ(message.uuid, "8e58af00-708c-012f-e468-64ce8f3a9dc2");
  ASSERT_EQ(message.labels.size(), 2u);
  EXPECT_EQ(*message.label("app"), Value::of("x"));
  EXPECT_EQ(*message.label("pid"), Value::of(17.0));
  EXPECT_FALSE(message.hostname);
  EXPECT_TRUE(message.fields.empty());
  EXPECT_FALSE(message.origin);
}

TEST_F(JsonCodec, TakesEveryTypeWithItsLeast) {
  for (const char* text :
       {R"({"type":"gauge","name":"a","value":1})", R"({"type":"counter","name":"a"})",
        R"({"type":"mark","name":"a","value":null})",
        R"({"type":"compound","name":"a","value":[]})", R"({"type":"event","name":"a"})",
        R"({"type":"log"})", R"({"type":"error"})", R"({"type":"hb_process","name":"a"})",
        R"({"type":"hb_agent"})", R"({"type":"reg_agent"})", R"({"type":"reg_process"})",
        R"({"type":"info_process"})", R"({"type":"info_agent"})", R"({"type":"info_ohai"})",
        R"({"type":"ack"})", R"({"type":"noop"})"}) {
    const MessageView message = take(text);
    EXPECT_NE(std::string_view(text).find(type_name(message.type)), std::string_view::npos) << text;
    EXPECT_EQ(message.uuid, own_uuid);
    EXPECT_EQ(message.timestamp, received);
  }
}

TEST_F(JsonCodec, RefusesWhatIsNoJsonObject) {
  for (const char* text :
       {"", " ", "{", "}", R"({"type":"log")", R"({"type":"log"} x)", R"({"type":"log"}{})",
        R"({type:"log"})", "{'type':'log'}", R"({"type":"log",})", R"({"type":"log","a":1e999})",
        R"({"type":"log","a":-1e999})", R"({"type":"log","a":NaN})", R"({"type":"log","a":01})",
        "{\"type\":\"log\",\"a\":\"\xFF\"}", "{\"type\":\"log\",\"a\":\"\xC3\"}",
        "{\"type\":\"log\",\"a\":\"\n\"}", R"({"type":"log","a":"\ud800"})", "\xEF\xBB\xBF{}"}) {
    EXPECT_EQ(refusal_of(text), "not_json") << text;
  }
  for (const char* text : {"[]", "1", "null", "\"gauge\"", "true", R"([{"type":"log"}])"}) {
    EXPECT_EQ(refusal_of(text), "not_an_object") << text;
  }
  EXPECT_EQ(refusal_of(std::string_view("{\"type\":\"log\"}\0", 15)), "not_json");
}

TEST_F(JsonCodec, RefusesEveryTruncationOfADatagram) {
  const std::string_view whole =
      R"({"type":"gauge","name":"a","value":1,"labels":{"b":["c"]},"d":-1.5e3})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(refusal_of(whole.substr(0, size)), "not_json") << whole.substr(0, size);
  }
}

TEST_F(JsonCodec, RefusesTypesThatNobodyMaySend) {
  EXPECT_EQ(refusal_of("{}"), "missing_type");
  for (const char* type :
       {"\"tick\"", "\"gauges\"", "\"Gauge\"", "\"\"", "11", "null", "[\"gauge\"]"}) {
    EXPECT_EQ(refusal_of(fmt::format(R"({{"type":{},"name":"a","value":1}})", type)),
              "unknown_type")
        << type;
  }
}

TEST_F(JsonCodec, ReadsAValueAlsoWhereTheTypeHasNone) {
  for (const auto& [text, kind] : {std::pair{"7", Value::Kind::number},
                                   {"\"x\"", Value::Kind::string},
                                   {"null", Value::Kind::null},
                                   {"[1,2]", Value::Kind::tree},
                                   {"{}", Value::Kind::tree}}) {
    for (const char* type : {"log", "event", "info_agent"}) {
      const std::string datagram =
          fmt::format(R"({{"name":"a","type":"{}","value":{}}})", type, text);
      EXPECT_EQ(take(datagram).value.kind, kind) << datagram;
    }
  }
}

TEST_F(JsonCodec, WantsANameWhereTheTypeHasOne) {
  for (const char* type : {"gauge", "counter", "mark", "compound", "event", "hb_process"}) {
    EXPECT_EQ(refusal_of(fmt::format(R"({{"type":"{}","value":1}})", type)), "bad_name") << type;
  }
  for (const char* type : {"gauge", "hb_agent", "log", "error", "reg_agent", "info_ohai", "noop"}) {
    for (const char* name : {"1", "null", "[]", "{}", "true"}) {
      EXPECT_EQ(refusal_of(fmt::format(R"({{"type":"{}","value":1,"name":{}}})", type, name)),
                "bad_name")
          << type;
    }
  }
  EXPECT_EQ(take(R"({"type":"log","name":"x"})").name, "x");
  EXPECT_EQ(take(R"({"type":"gauge","name":"","value":1})").name, "");
  EXPECT_FALSE(take(R"({"type":"log"})").name);
}

TEST_F(JsonCodec, JudgesTheValueByTheType) {
  struct Case {
    const char* type;
    std::vector<const char*> taken;
    std::vector<const char*> refused;
  };
  const Case cases[] = {
      {"gauge", {"1", "-1.5", "1e300"}, {"\"1\"", "null", "true", "[]", "{}", ""}},
      {"counter", {"1", "-1.5", ""}, {"\"1\"", "null", "true", "[]", "{}"}},
      {"mark", {"\"x\"", "\"\"", "null"}, {"1", "true", "[]", "{}", ""}},
      {"compound", {"[]", "{}", "[1,{\"a\":null}]"}, {"1", "\"x\"", "null", "true", ""}},
      {"hb_process", {"1", "\"x\"", "null", "true", ""}, {"[]", "{}"}},
      {"hb_agent", {"1", "\"x\"", "null", "true", ""}, {"[]", "{}"}},
  };
  const auto text = [](const char* type, std::string_view value) {
    return value.empty() ? fmt::format(R"({{"type":"{}","name":"a"}})", type)
                         : fmt::format(R"({{"type":"{}","name":"a","value":{}}})", type, value);
  };
  for (const Case& one : cases) {
    for (const char* value : one.taken)
      EXPECT_EQ(refusal_of(text(one.type, value)), "taken") << one.type << value;
    for (const char* value : one.refused) {
      EXPECT_EQ(refusal_of(text(one.type, value)), "bad_value") << one.type << value;
    }
  }
  EXPECT_EQ(take(text("counter", "")).value, Value::of(1.0));
  EXPECT_EQ(take(text("hb_agent", "")).value, Value{});
  EXPECT_EQ(take(text("hb_agent", "null")).value, Value::of_null());
  EXPECT_EQ(take(text("hb_agent", "true")).value, Value::of_boolean(true));
  EXPECT_EQ(take(text("mark", "\"\"")).value, Value::of(""));
  EXPECT_EQ(take(text("gauge", "18446744073709551615")).value, Value::of(18446744073709551616.0));
}

TEST_F(JsonCodec, TakesNumbersThatDoNotFit64Bits) {
  EXPECT_EQ(take(R"({"type":"gauge","name":"a","value":100000000000000000000000})").value,
            Value::of(1e23));
  EXPECT_EQ(take(R"({"type":"gauge","name":"a","value":-9223372036854775809})").value,
            Value::of(-9223372036854775808.0));
  const MessageView message = take(
      R"({"type":"log","n":123456789012345678901,"t":"x\"99999999999999999999","z":[12345678901234567890123]})");
  EXPECT_EQ(fields_of(message), Json({{"n", 123456789012345678901.0},
                                      {"t", "x\"99999999999999999999"},
                                      {"z", {12345678901234567890123.0}}}));
  EXPECT_EQ(refusal_of(R"({"type":"log","n":000000000000000000000001})"), "not_json");
}

TEST_F(JsonCodec, TakesOneLevelOfLabelsSortedByKey) {
  const MessageView message = take(
      R"({"type":"log","labels":{"z":1,"b":"x","a":true,"aa":null,"":false,"b":"y","\u00e9":2.5}})");
  const std::vector<Label> expected{{"", Value::of_boolean(false)}, {"a", Value::of_boolean(true)},
                                    {"aa", Value::of_null()},       {"b", Value::of("y")},
                                    {"z", Value::of(1.0)},          {"\xC3\xA9", Value::of(2.5)}};
  EXPECT_TRUE(std::ranges::equal(message.labels, expected));
  EXPECT_TRUE(take(R"({"type":"log","labels":{}})").labels.empty());
  for (const char* labels :
       {"[]", "null", "1", "\"a\"", R"({"a":{}})", R"({"a":[]})", R"({"a":"b","c":[1]})"}) {
    EXPECT_EQ(refusal_of(fmt::format(R"({{"type":"log","labels":{}}})", labels)), "bad_labels")
        << labels;
  }
}

TEST_F(JsonCodec, LetsTheLastOfEqualKeysStand) {
  std::string many =
      R"({"type":"log","type":"gauge","value":"x","name":"a","value":1,"value":2,"labels":{)";
  for (int i = 0; i < 200; ++i) many += fmt::format(R"("k{}":{},)", i % 20, i);
  many += R"("k3":"last"},"b":[],"a":1,"b":{"y":1,"x":2,"y":3}})";
  const MessageView message = take(many);
  EXPECT_EQ(message.type, MessageType::gauge);
  EXPECT_EQ(message.value, Value::of(2.0));
  EXPECT_EQ(message.labels.size(), 20u);
  EXPECT_EQ(*message.label("k3"), Value::of("last"));
  EXPECT_EQ(*message.label("k4"), Value::of(184.0));
  EXPECT_EQ(fields_of(message), Json::parse(R"({"a":1,"b":{"x":2,"y":3}})"));
}

TEST_F(JsonCodec, NormalisesTheTimestampAndRefusesWhatIsNone) {
  const auto with = [](std::string_view timestamp) {
    return fmt::format(R"({{"type":"log","timestamp":{}}})", timestamp);
  };
  EXPECT_EQ(to_us(take(with("1335826232")).timestamp), 1'335'826'232'000'000);
  EXPECT_EQ(to_us(take(with("1335826232943")).timestamp), 1'335'826'232'943'000);
  EXPECT_EQ(to_us(take(with("1335826232943810123")).timestamp), 1'335'826'232'943'810);
  EXPECT_EQ(to_us(take(with("1335826232943810.0")).timestamp), 1'335'826'232'943'810);
  EXPECT_EQ(to_us(take(with("1.33582623294381e15")).timestamp), 1'335'826'232'943'810);
  for (const char* timestamp :
       {"1335826232.5", "0", "-1335826232", "31535999", "4102444801", "1e300", "1e19", "null",
        "\"1335826232\"", "18446744073709551615", "true", "{}"}) {
    EXPECT_EQ(refusal_of(with(timestamp)), "bad_timestamp") << timestamp;
  }
  JsonDecoder::Defaults enveloped = at_the_door();
  enveloped.timestamp = time_from_us(1'335'000'000'000'000);
  EXPECT_EQ(take(R"({"type":"log"})", enveloped).timestamp, enveloped.timestamp);
  EXPECT_EQ(to_us(take(with("1335826232"), enveloped).timestamp), 1'335'826'232'000'000);
}

// With `padded` only the text counts, whatever follows it.
TEST_F(JsonCodec, ParsesAPaddedTextWhereItLies) {
  JsonDecoder::Defaults padded = at_the_door();
  padded.padded = true;
  for (const char* following : {"", "}}}}", "\"", ",\"a\":1}"}) {
    const std::string_view text = R"({"type":"log","data":"x"})";
    std::string buffer(text);
    buffer += following;
    buffer.append(json_padding, '7');
    const MessageView message = take({buffer.data(), text.size()}, padded);
    buffer.assign(buffer.size(), '!');
    EXPECT_EQ(fields_of(message), Json({{"data", "x"}}));
    std::string half(text.substr(0, text.size() - 1));
    half += '}' + std::string(json_padding, '}');
    EXPECT_EQ(refusal_of({half.data(), text.size() - 1}, padded), "not_json");
  }
}

TEST_F(JsonCodec, LowersTheUuidAndRefusesWhatIsNone) {
  EXPECT_EQ(take(R"({"type":"log","uuid":"8E58AF00-708C-012F-E468-64CE8F3A9DC2"})").uuid,
            "8e58af00-708c-012f-e468-64ce8f3a9dc2");
  for (const char* uuid :
       {"\"\"", "\"8e58af00\"", "null", "5", "\"8e58af00-708c-012f-e468-64ce8f3a9dcg\"",
        "\"8e58af00-708c-012f-e468-64ce8f3a9dc2 \"", "\"8e58af00708c012fe46864ce8f3a9dc2\""}) {
    EXPECT_EQ(refusal_of(fmt::format(R"({{"type":"log","uuid":{}}})", uuid)), "bad_uuid") << uuid;
  }
}

TEST_F(JsonCodec, KeepsOtherFieldsSortedWithWholeNumbersAsIntegers) {
  const MessageView message = take(
      R"({"type":"log","z":1.0,"subject":"s","data":{"b":[1,2.5,-0.0,null,true],"a":{}},"":18446744073709551615})");
  std::string expected;
  MsgpackWriter writer(expected);
  writer.map(4);
  writer.string("");
  writer.unsigned_integer(18446744073709551615u);
  writer.string("data");
  writer.map(2);
  writer.string("a");
  writer.map(0);
  writer.string("b");
  writer.array(5);
  writer.integer(1);
  writer.number(2.5);
  writer.number(-0.0);
  writer.null();
  writer.boolean(true);
  writer.string("subject");
  writer.string("s");
  writer.string("z");
  writer.integer(1);
  EXPECT_EQ(message.fields, expected);
}

TEST_F(JsonCodec, JudgesTheFormOfKnownFields) {
  for (const char* text :
       {R"({"type":"event","name":"a","subject":1})", R"({"type":"event","name":"a","body":[]})",
        R"({"type":"event","name":"a","attn":5})", R"({"type":"event","name":"a","attn":["x",5]})",
        R"({"type":"hb_process","name":"a","timeout":"5"})", R"({"type":"hb_agent","timeout":[]})",
        R"({"type":"reg_agent","hostname":1})", R"({"type":"reg_process","hostname":5})"}) {
    EXPECT_EQ(refusal_of(text), "bad_field") << text;
  }
  EXPECT_EQ(fields_of(take(R"({"type":"event","name":"a","attn":"x"})")),
            Json::parse(R"({"attn":["x"]})"));
  EXPECT_EQ(fields_of(take(R"({"type":"event","name":"a","attn":["x","y"]})")),
            Json::parse(R"({"attn":["x","y"]})"));
  EXPECT_EQ(fields_of(take(R"({"type":"log","attn":5,"timeout":"x"})")),
            Json::parse(R"({"attn":5,"timeout":"x"})"));
}

// As Hastur's Ruby client sends an event without receivers, and a heartbeat without a timeout.
TEST_F(JsonCodec, ANullForWhatTheSenderWasNotGivenIsAbsent) {
  const auto wrote = [&](std::string_view rest) {
    const MessageView message = take(fmt::format(R"({{"name":"a",{}}})", rest));
    return message.fields.empty() ? std::string("nothing") : canonical_json(fields_of(message));
  };
  for (const char* rest :
       {R"("type":"event","attn":null,"subject":null,"body":null)",
        R"("type":"log","subject":null,"data":null)",
        R"("type":"error","error":null,"class":null,"data":null,"backtrace":null)",
        R"("type":"hb_process","timeout":null)", R"("type":"hb_agent","timeout":null)",
        R"("type":"reg_agent","hostname":null,"ipv4":null,"nodename":null,"data":null)",
        R"("type":"reg_process","hostname":null,"data":null)",
        R"("type":"info_process","tag":null,"data":null)",
        R"("type":"info_agent","tag":null,"data":null)"}) {
    EXPECT_EQ(wrote(rest), "nothing") << rest;
  }
  EXPECT_EQ(wrote(R"("type":"event","attn":[null],"body":null)"), R"({"attn":[]})");
  // The last of equal keys stands, as always.
  EXPECT_EQ(wrote(R"("type":"event","body":"x","body":null)"), "nothing");
  EXPECT_EQ(wrote(R"("type":"event","body":null,"body":"x")"), R"({"body":"x"})");
}

TEST_F(JsonCodec, ANullElsewhereIsAValueOfItsOwn) {
  EXPECT_EQ(fields_of(take(R"({"type":"log","data":{"a":null},"other":null,"timeout":null})")),
            Json::parse(R"({"data":{"a":null},"other":null,"timeout":null})"));
  EXPECT_EQ(fields_of(take(R"({"type":"info_ohai","kernel":null})")),
            Json::parse(R"({"kernel":null})"));
  EXPECT_EQ(take(R"({"type":"log","labels":{"a":null}})").labels[0].value, Value::of_null());
  EXPECT_EQ(take(R"({"type":"hb_agent","value":null})").value, Value::of_null());
}

TEST_F(JsonCodec, TakesWhatARecordingSaysOnlyFromARecording) {
  const std::string_view text =
      R"({"type":"log","hostname":"h","received_at":1335826232943811,"seq":7,"origin":{},"timestamp":1335826232})";
  const MessageView sent = take(text);
  EXPECT_EQ(sent.received_at, received);
  EXPECT_FALSE(sent.hostname);
  EXPECT_TRUE(sent.fields.empty()) << "a script would see live what no recording can give it";
  const MessageView recorded = take(text, in_a_recording());
  EXPECT_EQ(to_us(recorded.received_at), 1'335'826'232'943'811);
  EXPECT_EQ(recorded.hostname, "h");
  EXPECT_TRUE(recorded.fields.empty());
  EXPECT_FALSE(recorded.origin);
  EXPECT_EQ(refusal_of(R"({"type":"log","received_at":"x"})", in_a_recording()), "bad_timestamp");
  EXPECT_TRUE(take(R"({"type":"log","hostname":5})", in_a_recording()).fields.empty());
}

TEST_F(JsonCodec, AHostnameThatASenderClaimedIsNotRecordedAsTheStreams) {
  const std::string text = json_of(take(R"({"type":"log","hostname":"liar","x":1})"));
  const MessageView recorded = take(text, in_a_recording());
  EXPECT_FALSE(recorded.hostname);
  EXPECT_EQ(fields_of(recorded), Json::parse(R"({"x":1})"));
  EXPECT_NE(refusal_of(json_of(take(R"({"type":"log","hostname":0})")), in_a_recording()),
            "bad_field");
  EXPECT_NE(json_of(take(R"({"type":"reg_agent","hostname":"web-1"})")).find("web-1"),
            std::string::npos);
}

TEST_F(JsonCodec, TakesTheTimestampForAnAbsentReceiveTimeInARecording) {
  const MessageView stamped = take(R"({"type":"log","timestamp":1335826232})", in_a_recording());
  EXPECT_EQ(stamped.received_at, stamped.timestamp);
  const MessageView bare = take(R"({"type":"log"})", in_a_recording());
  EXPECT_EQ(bare.received_at, received);
  EXPECT_EQ(bare.timestamp, received);
  const MessageView heard = take(R"({"type":"log","received_at":1335826232})", in_a_recording());
  EXPECT_EQ(to_us(heard.timestamp), 1'335'826'232'000'000);
}

TEST_F(JsonCodec, KeepsTheHostnameOfARegistrationAsItsField) {
  const MessageView message = take(R"({"type":"reg_agent","hostname":"h"})", in_a_recording());
  EXPECT_FALSE(message.hostname);
  EXPECT_EQ(fields_of(message), Json::parse(R"({"hostname":"h"})"));
}

TEST_F(JsonCodec, BoundsNesting) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  const auto compound = [&](int depth) {
    return fmt::format(R"({{"type":"compound","name":"a","value":{}}})", nested(depth));
  };
  const auto field = [&](int depth) {
    return fmt::format(R"({{"type":"log","data":{}}})", nested(depth));
  };
  EXPECT_EQ(refusal_of(compound(64)), "taken");
  EXPECT_EQ(refusal_of(compound(65)), "bad_value");
  EXPECT_EQ(refusal_of(field(64)), "taken");
  EXPECT_EQ(refusal_of(field(65)), "bad_field");
  EXPECT_EQ(refusal_of(field(30'000)), "bad_field");
  EXPECT_EQ(refusal_of(std::string(60'000, '[')), "not_json");
  EXPECT_EQ(refusal_of(R"({"type":"log","a":{"b":)" + nested(62) + "}}"), "taken");
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += R"({"k":)";
  objects += "1" + std::string(65, '}');
  EXPECT_EQ(refusal_of(R"({"type":"log","data":)" + objects + "}"), "bad_field");
}

TEST_F(JsonCodec, BoundsTheWeight) {
  const auto log_of = [](std::size_t size) {
    std::string text = R"({"type":"log","data":"")";
    text.insert(text.size() - 1, size - text.size() - 1, 'x');
    return text + "}";
  };
  EXPECT_EQ(log_of(65'507).size(), 65'507u);
  EXPECT_EQ(refusal_of(log_of(65'507)), "taken");
  EXPECT_EQ(refusal_of(log_of(500'000)), "taken");
  EXPECT_EQ(refusal_of(log_of(600'000)), "too_large");
  EXPECT_EQ(refusal_of(log_of(2'000'000)), "too_large");
  EXPECT_EQ(refusal_of(log_of(100)), "taken");
}

TEST_F(JsonCodec, GoesOnAfterARefusal) {
  EXPECT_EQ(refusal_of(R"({"type":"compound","name":"a","value":{"a":)" + std::string(70, '[') +
                       std::string(70, ']') + "}}"),
            "bad_value");
  const MessageView message = take(R"({"type":"compound","name":"a","value":{"c":1},"d":{"e":2}})");
  EXPECT_EQ(
      json_of(message),
      R"({"d":{"e":2},"name":"a","received_at":1700000000000000,"timestamp":1700000000000000,)"
      R"("type":"compound","uuid":"00000000-0000-4000-8000-000000000001","value":{"c":1}})");
}

TEST_F(JsonCodec, WritesKeysSortedAndNumbersInFull) {
  const Label labels[] = {{"a", Value::of("x\n")}, {"b", Value::of_null()}, {"c", Value::of(0.1)}};
  std::string fields;
  MsgpackWriter writer(fields);
  writer.map(3);
  writer.string("data");
  writer.integer(-9007199254740993);
  writer.string("timf");
  writer.unsigned_integer(18446744073709551615u);
  writer.string("zzz");
  writer.boolean(false);
  MessageView message;
  message.type = MessageType::hb_process;
  message.name = "n";
  message.value = Value::of(-0.0);
  message.timestamp = time_from_us(1'335'826'232'943'810);
  message.received_at = received;
  message.uuid = own_uuid;
  message.hostname = "host";
  message.labels = labels;
  message.fields = fields;
  message.origin = Origin{"t/x", {3}, {41}, 2, 1};
  std::string out = "[";
  append_message_json(out, message, Sequence{12});
  EXPECT_EQ(
      out,
      R"([{"data":-9007199254740993,"hostname":"host","labels":{"a":"x\n","b":null,"c":0.1},"name":"n",)"
      R"("origin":{"depth":1,"ordinal":2,"run":3,"sequence":41,"trigger":"t/x"},)"
      R"("received_at":1700000000000000,"seq":12,"timestamp":1335826232943810,"timf":18446744073709551615,)"
      R"("type":"hb_process","uuid":"00000000-0000-4000-8000-000000000001","value":-0.0,"zzz":false})");
  EXPECT_EQ(message_to_json(message)["labels"]["a"], "x\n");
}

TEST_F(JsonCodec, WritesATickWithNothingButItsTime) {
  MessageView tick;
  tick.type = MessageType::tick;
  tick.timestamp = received;
  tick.received_at = received;
  tick.deaf = Micros{250};
  EXPECT_EQ(json_of(tick), R"({"deaf":250,"time":1700000000000000,"type":"tick"})");
  std::string numbered;
  append_message_json(numbered, tick, Sequence{3});
  EXPECT_EQ(numbered, R"({"deaf":250,"seq":3,"time":1700000000000000,"type":"tick"})");
}

TEST_F(JsonCodec, LetsAFieldNamedLikeTheStreamsOwnGiveWayToIt) {
  MessageView message = take(R"({"type":"log"})");
  std::string fields;
  Json::to_msgpack({{"hostname", "mine"}, {"received_at", 5}, {"seq", "a"}}, fields);
  message.fields = fields;
  EXPECT_TRUE(json_of(message).starts_with(R"({"received_at":1700000000000000,"seq":"a",)"))
      << json_of(message);
  message.hostname = "registered";
  std::string out;
  append_message_json(out, message, Sequence{9});
  EXPECT_NE(out.find(R"("hostname":"registered","received_at":1700000000000000,"seq":9)"),
            std::string::npos);
}

TEST(RefusedMessage, StandsInTheStreamForWhatCouldNotBeTaken) {
  const std::string original = "{\"a\":\"\xFF" + std::string(2000, 'x');
  const Message message =
      refused_message({Refusal::not_json, "the text is not JSON"}, original, own_uuid, received);
  EXPECT_EQ(message.view().type, MessageType::error);
  EXPECT_EQ(message.view().uuid, own_uuid);
  EXPECT_EQ(message.view().timestamp, received);
  EXPECT_EQ(message.view().received_at, received);
  EXPECT_EQ(field_of(message.view(), "class"), "undecodable");
  EXPECT_EQ(field_of(message.view(), "error"), "the text is not JSON");
  EXPECT_EQ(field_of(message.view(), "data"), "{\"a\":\"\xEF\xBF\xBD" + std::string(1024 - 7, 'x'));
  EXPECT_TRUE(is_sorted_msgpack_map(message.view().fields));
}

TEST(Refusal, EachHasAName) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Refusal::bad_envelope); ++i) {
    const std::string_view name = refusal_name(static_cast<Refusal>(i));
    EXPECT_NE(name, "unknown");
    EXPECT_EQ(std::ranges::find(names, name), names.end());
    names.push_back(name);
  }
}

Json json_of_msgpack(std::string_view bytes) {
  return bytes.empty() ? Json() : Json::from_msgpack(bytes.begin(), bytes.end());
}

// The same message, but that one may write a number as 5 where the other has 5.0.
bool says_the_same(MessageView a, MessageView b) {
  if (json_of_msgpack(a.fields) != json_of_msgpack(b.fields)) return false;
  if (a.value.kind == Value::Kind::tree && b.value.kind == Value::Kind::tree) {
    if (json_of_msgpack(a.value.text) != json_of_msgpack(b.value.text)) return false;
    a.value = b.value = Value{};
  }
  a.fields = b.fields = {};
  return same_message(a, b);
}

RC_GTEST_PROP(JsonCodecProperty, DecodesWhatItWroteToTheSameMessage, ()) {
  const Message message = *testing::gen_message();
  std::string text;
  append_message_json(text, message.view(), Sequence{7});
  JsonDecoder decoder;
  const auto decoded = decoder.decode(text, in_a_recording());
  if (const auto* refused = std::get_if<JsonDecoder::Refused>(&decoded))
    RC_FAIL(text + ": " + refused->text);
  const Message again(std::get<MessageView>(decoded));
  RC_ASSERT(says_the_same(again.view(), message.view()));

  // What was decoded has one form: from then on every byte comes back.
  std::string text_again;
  append_message_json(text_again, again.view(), Sequence{7});
  RC_ASSERT(text_again == text);
  RC_ASSERT(Message(std::get<MessageView>(decoder.decode(text_again, in_a_recording()))) == again);
}

RC_GTEST_PROP(JsonCodecProperty, WritesTheCanonicalTextOfItsValue, ()) {
  const Message message = *testing::gen_row();
  std::string text;
  append_message_json(text, message.view());
  RC_ASSERT(canonical_json(message_to_json(message.view())) == text);
}

// Half datagrams, and datagrams with one byte changed, are taken or refused; what is taken can be
// written.
RC_GTEST_PROP(JsonCodecProperty, StandsDamagedDatagrams, ()) {
  std::string text;
  append_message_json(text, (*testing::gen_message()).view());
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  if (*rc::gen::arbitrary<bool>()) {
    text[at] = *rc::gen::oneOf(rc::gen::arbitrary<char>(),
                               rc::gen::elementOf(std::string("{}[]\",:0e.-nt\\")));
  } else {
    text.resize(at);
  }
  JsonDecoder decoder;
  const auto decoded = decoder.decode(text, at_the_door());
  if (const auto* message = std::get_if<MessageView>(&decoded)) {
    std::string out;
    append_message_json(out, *message);
    RC_ASSERT(parse_json(out).has_value());
  } else {
    const auto& refused = std::get<JsonDecoder::Refused>(decoded);
    RC_ASSERT(!refused.text.empty());
    const Message error = refused_message(refused, text, own_uuid, received);
    RC_ASSERT(is_json_msgpack(error.view().fields));
  }
}

}  // namespace
}  // namespace hastur
