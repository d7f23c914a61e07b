#include "supervisor/cli/compose.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

std::string composed(MessageWords words) {
  const auto message = compose_message(words);
  if (!message) return message.error().message;
  const auto checked = check_message(*message, time_from_us(1'700'000'000'000'000));
  return checked ? *message : checked.error().message;
}

TEST(ComposeMessage, TypesWordsAsJsonWhereTheyReadAsSuch) {
  EXPECT_EQ(
      composed({"gauge", "a.b", "-5.5", {"pid=17", "app=x", "up=true", "s=\"5\""}, {"extra=[1]"}}),
      R"({"extra":[1],"labels":{"app":"x","pid":17,"s":"5","up":true},"name":"a.b","type":"gauge","value":-5.5})");
  EXPECT_EQ(composed({"counter", "a", "", {}, {}}), R"({"name":"a","type":"counter"})");
  EXPECT_EQ(composed({"mark", "a", "5", {}, {}}), R"({"name":"a","type":"mark","value":"5"})");
  EXPECT_EQ(composed({"mark", "a", "", {}, {}}), R"({"name":"a","type":"mark","value":null})");
  EXPECT_EQ(composed({"compound", "a", "{\"x\":1}", {}, {}}),
            R"({"name":"a","type":"compound","value":{"x":1}})");
  EXPECT_EQ(composed({"event", "deploy", "v2", {}, {"attn=[\"ops\"]"}}),
            R"({"attn":["ops"],"name":"deploy","subject":"v2","type":"event"})");
  EXPECT_EQ(composed({"log", "disk full", "", {}, {}}), R"({"subject":"disk full","type":"log"})");
  EXPECT_EQ(composed({"hb_process", "web", "1", {}, {"timeout=30"}}),
            R"({"name":"web","timeout":30,"type":"hb_process","value":1})");
}

TEST(ComposeMessage, SaysWhatTheSyndicatorWouldRefuse) {
  EXPECT_EQ(composed({"guage", "a", "1", {}, {}}),
            "there is no message type \"guage\"; did you mean \"gauge\"?");
  EXPECT_EQ(composed({"gauge", "a", "many", {}, {}}).rfind("bad_value: ", 0), 0u);
  EXPECT_EQ(composed({"gauge", "", "1", {}, {}}).rfind("bad_name: ", 0), 0u);
  EXPECT_EQ(composed({"gauge", "a", "1", {"x"}, {}}), "--label takes key=value, not \"x\"");
  EXPECT_EQ(composed({"gauge", "a", "1", {}, {"uuid=5"}}).rfind("bad_uuid: ", 0), 0u);
  EXPECT_NE(
      composed({"mark", "a", std::string(70'000, 'x'), {}, {}}).find("a datagram holds at most"),
      std::string::npos);
}

}  // namespace
}  // namespace hastur
