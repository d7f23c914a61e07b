#include "trigger-test/hunt_messages.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace hastur {
namespace {

using Kind = MessageMaker::Kind;

SubscriptionSpec subscription(MessageType type, const std::string& filter) {
  SubscriptionSpec spec;
  spec.types = {type};
  spec.filter = filter;
  return spec;
}

std::vector<Json> made(const SubscriptionSpec& spec, Kind kind, const ScriptWords& words = {},
                       const std::vector<Json>& examples = {}) {
  const MessageMaker maker({spec}, words, examples);
  std::vector<Json> messages;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    if (auto message = maker.make(0, kind, dice)) messages.push_back(std::move(*message));
  }
  return messages;
}

TEST(HuntMessages, AreTakenByTheFilterWhateverItAsks) {
  for (const char* filter : {
           R"({})",
           R"({"name":"a.b"})",
           R"({"name":["a.*","b"],"value":{"above":90}})",
           R"({"value":{"at_least":5,"below":6}})",
           R"({"value":7,"uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2"})",
           R"({"labels":{"app":"x*","canary":[false],"debug":false,"zone":true}})",
           R"({"labels":{"status":{"at_least":500}},"hostname":"web*"})",
           R"({"labels":true,"hostname":false})",
           R"({"labels":false})",
           R"({"none_of":{"name":"some.name","value":{"below":1}}})",
       }) {
    const SubscriptionSpec spec = subscription(MessageType::gauge, filter);
    const Filter parsed = *Filter::parse(*parse_json(filter));
    for (const Kind kind : {Kind::real, Kind::odd}) {
      const std::vector<Json> all = made(spec, kind);
      EXPECT_GT(all.size(), 150u) << filter;
      for (const Json& message : all) EXPECT_TRUE(takes(parsed, spec.types, message)) << message;
    }
  }
  const SubscriptionSpec events = subscription(
      MessageType::event, R"({"attn":["ops","sales"],"subject":"No *","name":"alarm"})");
  EXPECT_GT(made(events, Kind::real).size(), 150u);
}

TEST(HuntMessages, HaveValuesAroundWhatTheScriptComparesWith) {
  ScriptWords words;
  words.numbers = {90};
  bool below = false, at = false, above = false;
  for (const Json& message : made(subscription(MessageType::gauge, "{}"), Kind::real, words)) {
    const double value = message["value"];
    below = below || (value < 90 && value > 88);
    at = at || value == 90;
    above = above || (value > 90 && value < 92);
  }
  EXPECT_TRUE(below && at && above);
}

TEST(HuntMessages, LackALabelThatIsReadButNotAskedFor) {
  ScriptWords words;
  words.labels = {"asked", "read"};
  std::size_t with = 0, without = 0;
  for (const Json& message :
       made(subscription(MessageType::gauge, R"({"labels":{"asked":true}})"), Kind::real, words)) {
    EXPECT_TRUE(message["labels"].contains("asked"));
    (message["labels"].contains("read") ? with : without) += 1;
  }
  EXPECT_GT(with, 20u);
  EXPECT_GT(without, 20u);
}

TEST(HuntMessages, ALabelThatCountsIsSometimesAText) {
  ScriptWords words;
  words.labels = words.counted_labels = {"status"};
  std::size_t numbers = 0, texts = 0, others = 0;
  const SubscriptionSpec spec = subscription(MessageType::counter, R"({"labels":{"status":true}})");
  for (const Json& message : made(spec, Kind::real, words)) {
    const Json& status = message["labels"]["status"];
    (status.is_number() ? numbers : status.is_string() ? texts : others) += 1;
  }
  EXPECT_GT(numbers, 50u);
  EXPECT_GT(texts, 20u);
  EXPECT_EQ(others, 0u);
  for (const Json& message : made(spec, Kind::odd, words)) {
    const Json& status = message["labels"]["status"];
    others += status.is_null() || status.is_boolean() ? 1 : 0;
  }
  EXPECT_GT(others, 20u);
}

TEST(HuntMessages, ALabelMayBeEmptyOrANumberUnlessItIsKnown) {
  ScriptWords words;
  const SubscriptionSpec spec = subscription(MessageType::event, R"({"labels":{"app":true}})");
  const auto odd_ones = [&](const std::vector<Json>& examples) {
    std::size_t empty = 0, numbers = 0;
    for (const Json& message : made(spec, Kind::real, words, examples)) {
      empty += message["labels"]["app"] == "" ? 1 : 0;
      numbers += message["labels"]["app"].is_number() ? 1 : 0;
    }
    return std::pair(empty, numbers);
  };
  EXPECT_GT(odd_ones({}).first, 5u);
  EXPECT_GT(odd_ones({}).second, 5u);
  // A test shows what its senders write.
  EXPECT_EQ(odd_ones({{{"type", "event"}, {"name", "e"}, {"labels", {{"app", "web"}}}}}),
            (std::pair<std::size_t, std::size_t>(0, 0)));
  // The script compares it with texts.
  words.label_texts["app"] = {"web"};
  EXPECT_EQ(odd_ones({}), (std::pair<std::size_t, std::size_t>(0, 0)));
}

TEST(HuntMessages, AreWhateverTheirTypeAdmits) {
  const auto count = [](MessageType type, auto&& is_one) {
    const std::vector<Json> all = made(subscription(type, "{}"), Kind::real);
    return std::ranges::count_if(all, is_one);
  };
  EXPECT_GT(count(MessageType::counter, [](const Json& m) { return m.value("value", 1.0) < 0; }),
            3);
  EXPECT_GT(
      count(MessageType::log, [](const Json& m) { return m.value("data", Json()).is_object(); }),
      10);
  EXPECT_GT(
      count(MessageType::error, [](const Json& m) { return m.value("error", Json()).is_object(); }),
      10);
  EXPECT_GT(count(MessageType::hb_process,
                  [](const Json& m) { return m.value("value", Json()).is_boolean(); }),
            5);
  ScriptWords words;
  words.field_texts["data"] = {"user=.-host=%d+$"};
  std::size_t long_ones = 0;
  for (const Json& message : made(subscription(MessageType::log, "{}"), Kind::real, words)) {
    const Json data = message.value("data", Json());
    long_ones += data.is_string() && data.get<std::string>().size() > 1'000 ? 1 : 0;
  }
  EXPECT_GT(long_ones, 5u);
  std::set<std::string> senders;
  for (const Json& message : made(subscription(MessageType::gauge, "{}"), Kind::real))
    senders.insert(message["uuid"]);
  EXPECT_GE(senders.size(), 10u);
}

TEST(HuntMessages, OfAnUnknownShapeAreNotTakenForReal) {
  ScriptWords words;
  const auto has_real = [&](MessageType type, const std::vector<Json>& examples) {
    return MessageMaker({subscription(type, "{}")}, words, examples).has_real(0);
  };
  EXPECT_FALSE(has_real(MessageType::compound, {}));
  EXPECT_TRUE(has_real(MessageType::compound,
                       {{{"type", "compound"}, {"name", "c"}, {"value", {{"mail", 1}}}}}));
  EXPECT_TRUE(has_real(MessageType::gauge, {}));
  words.fields = {"duration", "host"};
  EXPECT_FALSE(has_real(MessageType::gauge, {}));
  EXPECT_TRUE(has_real(MessageType::gauge,
                       {{{"type", "gauge"}, {"name", "g"}, {"value", 1}, {"duration", 3}}}));
}

TEST(HuntMessages, LackWhatTheirTypeMayLack) {
  struct Optional {
    MessageType type;
    std::vector<const char*> fields;
  };
  for (const auto& [type, fields] : std::vector<Optional>{
           {MessageType::event, {"subject", "body", "attn"}},
           {MessageType::log, {"subject", "data"}},
           {MessageType::error, {"class", "error"}},
           {MessageType::hb_process, {"value", "timeout"}},
           {MessageType::hb_agent, {"name", "value", "timeout"}},
           {MessageType::reg_agent, {"hostname", "ipv4", "nodename"}},
       }) {
    for (const char* field : fields) {
      std::size_t with = 0, without = 0;
      for (const Json& message : made(subscription(type, "{}"), Kind::real))
        (message.contains(field) ? with : without) += 1;
      EXPECT_GT(with, 20u) << type_name(type) << ' ' << field;
      EXPECT_GT(without, 20u) << type_name(type) << ' ' << field;
    }
  }
  std::set<std::string> attn;
  for (const Json& message : made(subscription(MessageType::event, "{}"), Kind::real)) {
    const Json list = message.value("attn", Json("absent"));
    attn.insert(list.is_array() ? std::to_string(list.size()) : canonical_json(list));
  }
  EXPECT_EQ(attn, (std::set<std::string>{"0", "1", "2", "null", "\"absent\""}));
}

// Their senders may leave out the tree, whatever its shape is.
TEST(HuntMessages, OfInfosLackWhatOnlyTheirSendersKnow) {
  for (const MessageType type :
       {MessageType::info_process, MessageType::info_agent, MessageType::reg_process}) {
    for (const Json& message : made(subscription(type, "{}"), Kind::real))
      EXPECT_TRUE(message.value("data", Json()).is_null()) << message;
    std::size_t with = 0, without = 0;
    const Json example = {{"type", type_name(type)}, {"data", {{"a", 1}}}};
    for (const Json& message : made(subscription(type, "{}"), Kind::real, {}, {example}))
      (message.value("data", Json()).is_null() ? without : with) += 1;
    EXPECT_GT(with, 20u) << type_name(type);
    EXPECT_GT(without, 20u) << type_name(type);
  }
}

TEST(HuntMessages, OfGaugesAreSometimesBelowZero) {
  const std::vector<Json> all = made(subscription(MessageType::gauge, "{}"), Kind::real);
  EXPECT_TRUE(std::ranges::any_of(all, [](const Json& each) { return each["value"] < 0; }));
}

TEST(HuntMessages, HaveTheTextsThatTheScriptComparesWith) {
  ScriptWords words;
  words.labels = {"env"};
  words.label_texts["env"] = {"prod"};
  words.field_texts["name"] = {"deploy"};
  std::size_t both = 0;
  for (const Json& message : made(subscription(MessageType::event, "{}"), Kind::real, words)) {
    const Json labels = message.value("labels", Json::object());
    both += message["name"] == "deploy" && labels.value("env", Json()) == "prod" ? 1 : 0;
  }
  EXPECT_GT(both, 20u);
}

TEST(HuntMessages, AreMadeForWhateverAsksForOneThatIsThereOrNot) {
  for (const auto& [type, filter] : std::vector<std::pair<MessageType, const char*>>{
           {MessageType::event, R"({"attn":true})"},
           {MessageType::event, R"({"attn":false})"},
           {MessageType::event, R"({"attn":"ops"})"},
           {MessageType::hb_process, R"({"value":false})"},
           {MessageType::hb_agent, R"({"value":true})"},
           {MessageType::reg_agent, R"({"hostname":"web*"})"},
           {MessageType::reg_agent, R"({"hostname":true})"},
           {MessageType::reg_agent, R"({"hostname":false})"},
           {MessageType::reg_process, R"({"hostname":["a","b"]})"}})
    EXPECT_GT(made(subscription(type, filter), Kind::real).size(), 150u) << filter;
  std::set<std::size_t> sizes;
  for (const Json& each : made(subscription(MessageType::event, R"({"attn":true})"), Kind::real))
    sizes.insert(each["attn"].size());
  EXPECT_TRUE(sizes.contains(1) && sizes.contains(2));
}

TEST(HuntMessages, HaveLettersOfSeveralBytesInShortTexts) {
  const auto wide = [](MessageType type, const char* filter, const ScriptWords& words, auto&& of) {
    return std::ranges::count_if(
        made(subscription(type, filter), Kind::real, words), [&](const Json& each) {
          const Json text = of(each);
          return text.is_string() && text.get_ref<const std::string&>().size() > 50;
        });
  };
  const auto field = [](const char* key) {
    return [key](const Json& each) { return each.value(key, Json()); };
  };
  EXPECT_GT(wide(MessageType::event, "{}", {}, field("subject")), 3);
  EXPECT_GT(wide(MessageType::event, R"({"subject":true})", {}, field("subject")), 3);
  EXPECT_GT(wide(MessageType::error, "{}", {}, field("class")), 3);
  EXPECT_GT(wide(MessageType::mark, "{}", {}, field("value")), 3);
  ScriptWords words;
  words.labels = {"app"};
  const auto app = [](const Json& each) {
    return each.value("labels", Json::object()).value("app", Json());
  };
  EXPECT_GT(wide(MessageType::gauge, "{}", words, app), 3);
  // The script says what it is.
  words.label_texts["app"] = {"web"};
  EXPECT_EQ(wide(MessageType::gauge, "{}", words, app), 0);
}

TEST(HuntMessages, HaveAWholeNumberWhereAllThatIsKnownIsWhole) {
  const auto broken = [](const char* filter, const ScriptWords& words,
                         const std::vector<Json>& examples) {
    return std::ranges::count_if(
        made(subscription(MessageType::gauge, filter), Kind::real, words, examples),
        [](const Json& each) {
          const Json shard = each.value("labels", Json::object()).value("shard", Json());
          return shard.is_number_float();
        });
  };
  const char* const of_four = R"({"labels":{"shard":{"at_least":0,"at_most":3}}})";
  ScriptWords words;
  words.labels = {"shard"};
  EXPECT_GT(broken(of_four, words, {}), 10);
  const auto shown = [](const Json& shard) {
    return Json({{"type", "gauge"}, {"name", "g"}, {"value", 1}, {"labels", {{"shard", shard}}}});
  };
  EXPECT_EQ(broken(of_four, words, {shown(2)}), 0);
  EXPECT_GT(broken(of_four, words, {shown(2), shown(2.5)}), 10);
  words.places = {"labels.shard"};
  EXPECT_EQ(broken(of_four, words, {}), 0);
  EXPECT_GT(broken(R"({"labels":{"shard":{"at_least":0.5,"at_most":3}}})", words, {}), 10);
}

TEST(HuntMessages, TakeAValueThatIsNotExactIfTheFilterDoes) {
  const auto inexact = [](const char* filter, Json message) {
    const std::vector<SubscriptionSpec> specs{subscription(MessageType::gauge, filter)};
    const ScriptWords words;
    const std::vector<Json> examples;
    const MessageMaker maker(specs, words, examples);
    Dice dice(1);
    return maker.make_inexact(message, dice);
  };
  const Json gauge = {{"type", "gauge"}, {"name", "g"}, {"value", 1}};
  EXPECT_TRUE(inexact("{}", gauge));
  EXPECT_FALSE(inexact(R"({"value":{"above":1000}})", gauge));
  EXPECT_FALSE(inexact("{}", {{"type", "event"}, {"name", "e"}}));
}

TEST(HuntMessages, OfOneSeedAreTheSame) {
  const SubscriptionSpec spec = subscription(MessageType::mark, "{}");
  EXPECT_EQ(made(spec, Kind::odd), made(spec, Kind::odd));
}

}  // namespace
}  // namespace hastur
