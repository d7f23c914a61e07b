#include "trigger-test/filter_words.h"
#include "core/json.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

std::string wanted(const char* condition) { return wanted_words(*parse_json(condition)); }
std::string far(const char* condition, const char* found) {
  return how_far(*parse_json(condition), *parse_json(found));
}

TEST(FilterWords, SayWhatIsWantedAsPeopleDo) {
  EXPECT_EQ(wanted(R"({"above":10,"at_most":20})"), "above 10 and at most 20");
  EXPECT_EQ(wanted(R"(["a",2,{"below":1}])"), "one of \"a\", 2, below 1");
  EXPECT_EQ(wanted("[false]"), "false");
  EXPECT_EQ(wanted("true"), "any");
  EXPECT_EQ(wanted("false"), "absent");
  EXPECT_EQ(wanted("\"load*\""), "\"load*\"");
  EXPECT_EQ(wanted("null"), "null");
}

TEST(FilterWords, SayHowNearItWas) {
  EXPECT_EQ(far(R"({"above":10})", "9.7"), "0.3 too low");
  EXPECT_EQ(far(R"({"above":10})", "10"), "just not above");
  EXPECT_EQ(far(R"({"at_least":0,"below":5})", "5.5"), "0.5 too high");
  EXPECT_EQ(far(R"({"at_least":0,"below":5})", "5"), "just not below");
  EXPECT_EQ(far(R"({"at_least":0})", "\"5\""), "a text, not a number");
  EXPECT_EQ(far("5", "\"5\""), "a text, not a number");
  EXPECT_EQ(far("5", "4"), "1 too low");
  EXPECT_EQ(far("\"shop.queue\"", "\"shop.qeue\""), "nearly the same");
  EXPECT_EQ(far("\"shop.queue\"", "\"cpu\""), "");
}

struct Judged {
  explicit Judged(const char* filter) {
    SubscriptionSpec spec;
    spec.types = {MessageType::gauge};
    spec.filter = filter;
    spec.line = 3;
    loaded.subscriptions.push_back(spec);
  }
  Judgement of(MessageView message) const {
    message.uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";
    return FilterJudge(loaded).judge(message).at(0);
  }
  Loaded loaded;
};

TEST(FilterWords, NearIsWhatOneMoreKeyWouldMakeTaken) {
  const Judged judged(R"({"name":"load","value":{"above":10}})");
  MessageView message;
  message.type = MessageType::gauge;
  message.name = "load";
  message.value = Value::of(9.7);
  const Judgement low = judged.of(message);
  EXPECT_TRUE(low.is_near());
  EXPECT_EQ(low.refused(), 1u);
  EXPECT_EQ(low.keys.at(1).sentence(), "value is 9.7, wanted above 10: 0.3 too low");
  message.value = Value::of(11.0);
  EXPECT_TRUE(judged.of(message).takes());
  EXPECT_FALSE(judged.of(message).is_near());
  message.name = "cpu";
  message.value = Value::of(9.7);
  EXPECT_FALSE(judged.of(message).is_near());
  message.type = MessageType::mark;
  EXPECT_FALSE(judged.of(message).takes_type);
}

TEST(FilterWords, OfASingleKeyNearIsWhatIsAStepAway) {
  const Judged judged(R"({"value":{"above":10}})");
  MessageView message;
  message.type = MessageType::gauge;
  message.value = Value::of(9.7);
  EXPECT_TRUE(judged.of(message).is_near());
  const Judged labelled(R"({"labels":{"mount":true}})");
  EXPECT_FALSE(labelled.of(message).is_near()) << "nothing of what it is about is there";
}

TEST(FilterWords, OfAttnAllAreWanted) {
  const Judged judged(R"({"attn":["ops","db"]})");
  const auto of = [&](const char* attn) {
    const Json fields = {{"attn", Json::parse(attn)}};
    std::string packed;
    Json::to_msgpack(fields, packed);
    MessageView message;
    message.type = MessageType::gauge;
    message.fields = packed;
    const Judgement judgement = judged.of(message);
    return judgement.keys.at(0).sentence() + (judgement.is_near() ? ", near" : "");
  };
  EXPECT_EQ(of(R"(["ops"])"),
            R"(attn is ["ops"], wanted all of "ops", "db": "db" is missing, near)");
  EXPECT_EQ(of(R"(["web"])"), R"(attn is ["web"], wanted all of "ops", "db")");
}

TEST(FilterWords, ASlipInTheNameIsNear) {
  const Judged judged(R"({"name":"shop.queue"})");
  MessageView message;
  message.type = MessageType::gauge;
  message.name = "shop.qeue";
  EXPECT_TRUE(judged.of(message).is_near());
  message.name = "cpu";
  EXPECT_FALSE(judged.of(message).is_near());
}

}  // namespace
}  // namespace hastur
