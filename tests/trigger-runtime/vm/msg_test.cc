// msg, as a callback sees it.

#include "tests/trigger-runtime/vm/test_trigger.h"
#include "trigger-runtime/vm/bytecode.h"

namespace hastur::testing {
namespace {

// The state after `body` ran for one message.
std::string state_after(const std::string& message, const std::string& body) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{}\nlocal state = ctx.state\nctx:messages({}, function(msg)\n" +
      body + "\nend)\n");
  Stream stream;
  stream.message(1, message);
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.stopped) return progress.stopped->error.error.text;
  return trigger.state();
}

TEST(Msg, HasTheFieldsOfItsMessage) {
  EXPECT_EQ(
      state_after(
          R"({"type":"gauge","name":"n","value":1.5,"timestamp":1704067200500000,"received_at":1704067201000000,"labels":{"app":"x"},
                           "uuid":"8E58AF00-708C-012F-E468-64CE8F3A9DC2","hostname":"h1","extra":[1,{"a":null}]})",
          R"lua(
      state.type = msg.type state.name = msg.name state.value = msg.value state.timestamp = msg.timestamp
      state.received_at = msg.received_at state.uuid = msg.uuid state.hostname = msg.hostname state.host = msg.host
      state.app = msg.labels.app state.none = msg.labels.none == nil and msg.nothing == nil and msg[1] == nil
      state.extra = msg.extra)lua"),
      R"({"app":"x","extra":[1,{"a":null}],"host":"h1","hostname":"h1","name":"n","none":true,)"
      R"("received_at":1704067201000000,"timestamp":1704067200500000,"type":"gauge",)"
      R"("uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2","value":1.5})");
}

TEST(Msg, HostIsTheUuidWhereThereIsNoHostname) {
  EXPECT_EQ(state_after(
                R"({"type":"counter","name":"n"})",
                "state.a = msg.host == msg.uuid state.b = msg.hostname == nil state.c = msg.value"),
            R"({"a":true,"b":true,"c":1})");
}

TEST(Msg, ValuesOfEveryKind) {
  EXPECT_EQ(state_after(R"({"type":"mark","name":"n","value":"text"})", "state.a = msg.value"),
            R"({"a":"text"})");
  EXPECT_EQ(state_after(R"({"type":"mark","name":"n","value":null})",
                        "state.a = msg.value == hastur.null"),
            R"({"a":true})");
  EXPECT_EQ(state_after(R"({"type":"compound","name":"n","value":{"a":[1,2]}})",
                        "state.a = msg.value.a msg.value.a = 5 state.b = #msg.value.a"),
            R"({"a":[1,2],"b":2})");
  EXPECT_EQ(state_after(
                R"({"type":"event","name":"n","subject":"s","body":"b","attn":["x","y"]})",
                "state.a = msg.subject .. msg.body state.b = msg.attn state.c = msg.value == nil"),
            R"({"a":"sb","b":["x","y"],"c":true})");
  EXPECT_EQ(state_after(R"({"type":"hb_process","name":"n","value":1,"timeout":30})",
                        "state.a = msg.timeout"),
            R"({"a":30})");
}

TEST(Msg, BecomesATableAndJson) {
  const std::string message =
      R"({"type":"gauge","name":"n","value":2,"labels":{"a":1},"timestamp":1704067200500000,"received_at":1704067201000000})";
  EXPECT_EQ(
      state_after(message,
                  "state.t = msg:to_table() state.j = msg:to_json() == nil state.t.uuid = nil"),
      R"({"j":false,"t":{"labels":{"a":1},"name":"n","received_at":1704067201000000,)"
      R"("timestamp":1704067200500000,"type":"gauge","value":2}})");
  EXPECT_EQ(state_after(message, "msg.to_table({})"), "call it as msg:to_table(), with a colon");
}

TEST(Msg, LabelsCanBeWalkedComparedAndOutliveTheMessage) {
  EXPECT_EQ(
      state_after(R"({"type":"gauge","name":"n","value":2,"labels":{"b":"x","a":1,"c":false}})",
                  R"lua(
      local walked = {}
      for k, v in pairs(msg.labels) do walked[#walked + 1] = k .. "=" .. tostring(v) end
      state.walked = table.concat(walked, " ")
      state.same = msg.labels == msg.labels)lua"),
      R"({"same":true,"walked":"a=1 b=x c=false"})");
}

constexpr const char* keeps_messages = R"lua(
local ctx = hastur.trigger{}
ctx:gauges({}, function(msg)
  ctx.state.kept = ctx.state.kept or msg
  if msg.value == 2 then ctx.state.value = ctx.state.kept.value end
end)
)lua";

TEST(Msg, IsDeadAfterItsCallback) {
  TestTrigger trigger(keeps_messages);
  Stream stream;
  stream.gauge(0.1, 1).gauge(0.2, 2);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_TRUE(progress.stopped);
  EXPECT_NE(progress.stopped->error.error.text.find("this msg is dead"), std::string::npos);
  EXPECT_EQ(progress.stopped->error.sequence, Sequence{2});
}

TEST(Msg, TellsTheMessagesOfABatchApart) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{}
ctx:gauges({}, function(msg) print(msg.name, msg.value, msg.labels.app) end)
)lua");
  Stream stream;
  for (int i = 0; i < 600; ++i) {
    stream.message(
        0.1, fmt::format(
                 R"({{"type":"gauge","name":"n{0}","value":{0},"labels":{{"app":"a{0}"}}}})", i));
  }
  for (int batch = 0; batch < 2; ++batch) {
    const TriggerProgress progress = trigger.feed(stream);
    for (std::size_t i = 0; i < progress.effects.size(); ++i) {
      ASSERT_EQ(progress.effects[i].payload, fmt::format(R"({{"text":"n{0}\t{0}\ta{0}"}})", i));
    }
    // The same ids of the dictionary stand for other strings in the next batch.
    stream.message(0.2, R"({"type":"gauge","name":"n0","value":0,"labels":{"app":"a0"}})");
  }
}

// Whether the function that `text` evaluates to keeps its first parameter to itself.
bool stays(const std::string& text) {
  lua_State* lua = luaL_newstate();
  const std::string chunk = "local kept, helper\nreturn " + text;
  EXPECT_EQ(luaL_loadstring(lua, chunk.c_str()), 0) << text;
  lua_call(lua, 0, 1);
  const bool result = first_parameter_stays(lua, -1);
  lua_close(lua);
  return result;
}

TEST(Bytecode, SeesWhetherAMessageCanOutliveItsCallback) {
  EXPECT_TRUE(stays("function(msg) return msg.value + msg.labels.x end"));
  EXPECT_TRUE(stays("function(msg) if msg.value > 10 then helper.n = (helper.n or 0) + 1 end end"));
  EXPECT_TRUE(stays("function(msg) helper[msg.uuid .. '/' .. msg.name] = msg.value end"));
  EXPECT_TRUE(stays("function(msg) for i = 1, 3 do helper(msg.value, msg.name) end end"));
  EXPECT_TRUE(stays("function() end"));
  EXPECT_TRUE(stays("function(msg) local a = msg.value msg = nil return a, msg end") == false)
      << "in doubt";
  EXPECT_FALSE(stays("function(msg) kept = msg end"));
  EXPECT_FALSE(stays("function(msg) helper.kept = msg end"));
  EXPECT_FALSE(stays("function(msg) helper[msg] = 1 end"));
  EXPECT_FALSE(stays("function(msg) helper(msg) end"));
  EXPECT_FALSE(stays("function(msg) return msg end"));
  EXPECT_FALSE(stays("function(msg) return helper(1, msg) end"));
  EXPECT_FALSE(stays("function(msg) local m = msg end"));
  EXPECT_FALSE(stays("function(msg) return function() return msg.value end end"));
  EXPECT_FALSE(
      stays("function(msg) return function() return function() return msg.value end end end"));
  EXPECT_FALSE(stays("function(msg) return { msg } end"));
  EXPECT_FALSE(stays("function(msg) return { helper(), msg } end"));
  EXPECT_FALSE(stays("function(msg) return msg:to_table() end"));
  EXPECT_FALSE(stays("function(...) helper(...) end"));
  EXPECT_FALSE(stays("function(msg) return msg .. 'x' end"));
  EXPECT_FALSE(stays("function(msg) for k, v in helper, msg do end end"));
  EXPECT_FALSE(stays("function(msg) return msg == helper or msg end"));
}

}  // namespace
}  // namespace hastur::testing
