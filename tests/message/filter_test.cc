#include "message/filter.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

#include "tests/message/naive_filter.h"

namespace hastur {
namespace {

using testing::build_message;
using testing::MessageParts;

Json json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Json();
}

MessageParts load() {
  MessageParts parts;
  parts.name = "ots.transcoding.load";
  parts.value = 10.5;
  parts.uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";
  parts.hostname = "web-1.example.com";
  parts.labels = {{"app", "billing"}, {"canary", false}, {"gone", nullptr}, {"pid", 17}};
  return parts;
}

MessageParts with_value(Json value) {
  MessageParts parts = load();
  parts.type = value.is_structured() ? MessageType::compound : MessageType::mark;
  parts.value = std::move(value);
  return parts;
}

MessageParts event() {
  MessageParts parts = load();
  parts.type = MessageType::event;
  parts.value = Json::value_t::discarded;
  parts.fields = Json{{"subject", "disk full on /var"}, {"attn", {"ops", "dev"}}, {"body", "x"}};
  return parts;
}

bool matches(std::string_view spec, const MessageParts& parts = load()) {
  const auto filter = Filter::parse(json(spec));
  EXPECT_TRUE(filter) << filter.error().message;
  const Message message = build_message(parts);
  const bool engine = filter && filter->matches(message.view());
  EXPECT_EQ(engine, testing::naive_matches(json(spec), parts)) << spec;
  return engine;
}

std::string refusal(std::string_view spec) {
  const auto filter = Filter::parse(json(spec));
  EXPECT_FALSE(filter) << spec;
  return filter ? "" : filter.error().message;
}

TEST(Filter, EmptyOneMatchesAll) {
  EXPECT_TRUE(matches("{}"));
  EXPECT_TRUE(Filter::parse(Json::array()));
  EXPECT_TRUE(Filter().matches(build_message(event()).view()));
}

TEST(Filter, AllKeysMustHold) {
  EXPECT_TRUE(matches(R"({"name":"ots.transcoding.load","value":10.5})"));
  EXPECT_FALSE(matches(R"({"name":"ots.transcoding.load","value":11})"));
  EXPECT_FALSE(matches(R"({"name":"other","value":10.5})"));
}

TEST(Filter, ScalarEqualsAsJsonDoes) {
  EXPECT_TRUE(matches(R"({"value":5})", with_value("5")) == false);
  EXPECT_TRUE(matches(R"({"value":"5"})", with_value("5")));
  EXPECT_FALSE(matches(R"({"value":1})", with_value(true)));
  MessageParts one = load();
  one.value = 1.0;
  EXPECT_TRUE(matches(R"({"value":1})", one));
  EXPECT_TRUE(matches(R"({"value":1.0})", one));
  EXPECT_FALSE(matches(R"({"value":"1"})", one));
  EXPECT_TRUE(matches(R"({"labels":{"pid":17.0}})"));
  EXPECT_FALSE(matches(R"({"labels":{"pid":"17"}})"));
}

TEST(Filter, NegativeZeroIsZero) {
  MessageParts zero = load();
  zero.value = -0.0;
  EXPECT_TRUE(matches(R"({"value":0})", zero));
}

TEST(Filter, TrueMeansThereAndFalseMeansAbsent) {
  EXPECT_TRUE(matches(R"({"name":true,"labels":{"app":true,"nope":false}})"));
  EXPECT_FALSE(matches(R"({"labels":{"nope":true}})"));
  EXPECT_FALSE(matches(R"({"labels":{"app":false}})"));
  EXPECT_TRUE(matches(R"({"value":false,"subject":true})", event()));
  EXPECT_TRUE(matches(R"({"subject":false,"attn":false})"));
  EXPECT_TRUE(matches(R"({"labels":{"canary":true}})"));
  EXPECT_TRUE(matches(R"({"labels":{"gone":true}})"));
}

TEST(Filter, AbsentNameDoesNotExist) {
  MessageParts nameless = load();
  nameless.name.reset();
  EXPECT_TRUE(matches(R"({"name":false})", nameless));
  EXPECT_FALSE(matches(R"({"name":true})", nameless));
  EXPECT_FALSE(matches(R"({"name":"*"})", nameless));
}

TEST(Filter, InAListTrueAndFalseMeanTheValueItself) {
  EXPECT_TRUE(matches(R"({"labels":{"canary":[false]}})"));
  EXPECT_FALSE(matches(R"({"labels":{"canary":[true]}})"));
  EXPECT_FALSE(matches(R"({"labels":{"app":[true,false]}})"));
  EXPECT_FALSE(matches(R"({"labels":{"nope":[false]}})"));
}

TEST(Filter, ListMeansAnyOf) {
  EXPECT_TRUE(matches(R"({"labels":{"app":["x",5,"billing"]}})"));
  EXPECT_FALSE(matches(R"({"labels":{"app":["x",5]}})"));
  EXPECT_TRUE(matches(R"({"name":["a","ots.*"]})"));
  EXPECT_TRUE(matches(R"({"value":[1,{"above":10,"below":11}]})"));
}

TEST(Filter, NullExistsAndEqualsOnlyNull) {
  EXPECT_TRUE(matches(R"({"labels":{"gone":null}})"));
  EXPECT_TRUE(matches(R"({"labels":{"gone":[null]}})"));
  EXPECT_FALSE(matches(R"({"labels":{"nope":null}})"));
  EXPECT_FALSE(matches(R"({"labels":{"canary":null}})"));
  EXPECT_TRUE(matches(R"({"value":null})", with_value(nullptr)));
  EXPECT_TRUE(matches(R"({"value":true})", with_value(nullptr)));
  EXPECT_FALSE(matches(R"({"value":null})", event()));
  EXPECT_FALSE(matches(R"({"labels":{"gone":[false,0,""]}})"));
}

TEST(Filter, TreeIsThereButEqualsNoScalar) {
  EXPECT_TRUE(matches(R"({"value":true})", with_value({{"a", 1}})));
  EXPECT_FALSE(matches(R"({"value":["a",1,null,true]})", with_value({{"a", 1}})));
  EXPECT_FALSE(matches(R"({"value":{"above":0}})", with_value({1, 2})));
}

TEST(Filter, StarStandsForAnyRunInNameHostnameSubjectAndLabels) {
  EXPECT_TRUE(matches(R"({"name":"ots.*.load"})"));
  EXPECT_TRUE(matches(R"({"name":"*"})"));
  EXPECT_TRUE(matches(R"({"hostname":"web-*"})"));
  EXPECT_FALSE(matches(R"({"hostname":"db-*"})"));
  EXPECT_TRUE(matches(R"({"subject":"*full*"})", event()));
  EXPECT_TRUE(matches(R"({"labels":{"app":"b*g"}})"));
  EXPECT_FALSE(matches(R"({"labels":{"pid":"*"}})"));
}

TEST(Filter, StarIsAStarElsewhere) {
  EXPECT_FALSE(matches(R"({"value":"*"})", with_value("x")));
  EXPECT_TRUE(matches(R"({"value":"*"})", with_value("*")));
  EXPECT_FALSE(matches(R"({"uuid":"8e58*"})"));
  EXPECT_FALSE(matches(R"({"attn":"o*"})", event()));
}

TEST(Filter, UuidIsLowered) {
  EXPECT_TRUE(matches(R"({"uuid":"8E58AF00-708C-012F-E468-64CE8F3A9DC2"})"));
  EXPECT_TRUE(matches(R"({"uuid":["x","8E58AF00-708C-012F-E468-64CE8F3A9DC2"]})"));
}

TEST(Filter, TypeTakesANameOrAList) {
  EXPECT_TRUE(matches(R"({"type":"gauge"})"));
  EXPECT_TRUE(matches(R"({"type":["counter","gauge"]})"));
  EXPECT_FALSE(matches(R"({"type":["counter","event"]})"));
  EXPECT_TRUE(matches(R"({"type":true})"));
}

TEST(Filter, AttnListHoldsAllOfInAnyOrder) {
  EXPECT_TRUE(matches(R"({"attn":["dev","ops"]})", event()));
  EXPECT_FALSE(matches(R"({"attn":["dev","nobody"]})", event()));
  EXPECT_TRUE(matches(R"({"attn":"ops"})", event()));
  EXPECT_FALSE(matches(R"({"attn":"ops"})"));
  EXPECT_TRUE(matches(R"({"attn":true})", event()));
}

TEST(Filter, RangesBoundNumbers) {
  EXPECT_TRUE(matches(R"({"value":{"above":10}})"));
  EXPECT_FALSE(matches(R"({"value":{"above":10.5}})"));
  EXPECT_TRUE(matches(R"({"value":{"at_least":10.5,"at_most":10.5}})"));
  EXPECT_FALSE(matches(R"({"value":{"below":10.5}})"));
  EXPECT_TRUE(matches(R"({"labels":{"pid":{"above":16,"below":18}}})"));
  EXPECT_FALSE(matches(R"({"labels":{"app":{"above":0}}})"));
  EXPECT_FALSE(matches(R"({"labels":{"nope":{"below":1e9}}})"));
}

TEST(Filter, NoneOfExcludes) {
  EXPECT_FALSE(matches(R"({"none_of":{"name":"ots.*"}})"));
  EXPECT_TRUE(matches(R"({"none_of":{"name":"ots.*","value":1}})"));
  EXPECT_FALSE(matches(R"({"none_of":[{"value":1},{"labels":{"app":"billing"}}]})"));
  EXPECT_TRUE(matches(R"({"none_of":[{"value":1},{"none_of":{"value":10.5}}]})"));
}

TEST(Filter, AnEmptyTableIsRefusedWhereItCouldBeTakenForNoneOfThese) {
  for (const char* empty : {"[]", "{}"}) {
    for (const char* key :
         {"name", "value", "type", "attn", "subject", "uuid", "hostname", "labels.zone"}) {
      const bool label = std::string_view(key) == "labels.zone";
      const std::string spec = label ? fmt::format(R"({{"labels":{{"zone":{}}}}})", empty)
                                     : fmt::format(R"({{"{}":{}}})", key, empty);
      EXPECT_EQ(refusal(spec.c_str()),
                fmt::format("'{}' in a filter cannot be used: an empty table asks for nothing; "
                            "leave the key out",
                            key));
    }
    EXPECT_EQ(refusal(fmt::format(R"({{"none_of":{}}})", empty).c_str()),
              "'none_of' in a filter cannot be used: an empty filter matches everything, so "
              "nothing would be left");
    EXPECT_FALSE(Filter::parse(json(fmt::format(R"({{"labels":{}}})", empty)))->asks_labels());
  }
}

TEST(Filter, LabelsMayBeAskedForAsAWhole) {
  EXPECT_TRUE(matches(R"({"labels":true})"));
  EXPECT_FALSE(matches(R"({"labels":false})"));
  MessageParts bare = load();
  bare.labels.clear();
  EXPECT_FALSE(matches(R"({"labels":true})", bare));
  EXPECT_TRUE(matches(R"({"labels":false})", bare));
}

TEST(Filter, UnknownKeyIsAnErrorThatListsTheKnownOnesAndTheNearest) {
  EXPECT_EQ(refusal(R"({"hostnam":"x"})"),
            "a filter has no key 'hostnam' (did you mean 'hostname'?); it knows name, value, type, "
            "attn, subject, "
            "labels, uuid, hostname, none_of");
  EXPECT_NE(refusal(R"({"zzz":[]})"), "");
  EXPECT_EQ(refusal(R"({"value":{"abov":1}})"),
            "'value' in a filter cannot be used: a range has no key 'abov' (did you mean "
            "'above'?); it knows above, "
            "below, at_least, at_most");
}

TEST(Filter, WhatAKeyDoesNotTakeIsAnError) {
  EXPECT_EQ(refusal(R"({"type":"gague"})"),
            "'type' in a filter cannot be used: it takes a type's name or a list of them, it was "
            "given \"gague\" (did "
            "you mean 'gauge'?); types are event, log, ack, error, noop, mark, gauge, counter, "
            "compound, reg_agent, "
            "reg_process, hb_agent, hb_process, info_process, info_agent, info_ohai");
  EXPECT_EQ(refusal(R"({"labels":{"app":{"x":["y"]}}})"),
            "'labels.app' in a filter cannot be used: a range has no key 'x'; it knows above, "
            "below, at_least, at_most");
  EXPECT_EQ(refusal(R"({"value":{"above":"5"}})"),
            "'value' in a filter cannot be used: 'above' takes a number, it was given \"5\"");
  for (const char* spec :
       {R"({"name":{"above":1}})", R"({"name":[["x"]]})", R"({"value":[{}]})", R"({"labels":"x"})",
        R"({"labels":["x"]})", R"({"attn":5})", R"({"attn":[5]})", R"({"type":5})",
        R"({"none_of":"x"})", R"({"none_of":{"nmae":"x"}})", R"("x")", "[1]"}) {
    EXPECT_NE(refusal(spec), "");
  }
}

TEST(Filter, ExactStringsAreKnownToAnIndex) {
  const auto name = [](const char* spec) {
    const Filter filter = *Filter::parse(json(spec));
    std::vector<std::string> strings{"*"};
    if (const auto exact = filter.name()->exact_strings())
      strings.assign(exact->begin(), exact->end());
    return strings;
  };
  EXPECT_EQ(name(R"({"name":"a"})"), std::vector<std::string>{"a"});
  EXPECT_EQ(name(R"({"name":["a","b"]})"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(name(R"({"name":["a","b*"]})"), std::vector<std::string>{"*"});
  EXPECT_EQ(name(R"({"name":["a",5]})"), std::vector<std::string>{"*"});
  EXPECT_EQ(name(R"({"name":true})"), std::vector<std::string>{"*"});
}

TEST(Filter, ExplainsEachKey) {
  const Filter filter = *Filter::parse(json(
      R"({"name":"ots.*","value":{"above":11},"labels":{"app":"billing","nope":true},"none_of":[{},{"value":1}]})"));
  const Message message = build_message(load());
  std::vector<std::string> lines;
  for (const Filter::Verdict& verdict : filter.explain(message.view())) {
    lines.push_back(verdict.key + (verdict.holds ? " holds: " : " fails: ") + verdict.found);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"name holds: \"ots.transcoding.load\"",
                                             "value fails: 10.5", "labels.app holds: \"billing\"",
                                             "labels.nope fails: absent", "none_of fails: 1"}));
}

TEST(Wildcard, PiecesAreFoundInOrder) {
  EXPECT_TRUE(wildcard_match("a*b*c", "aXbYc"));
  EXPECT_TRUE(wildcard_match("a*b*c", "abc"));
  EXPECT_FALSE(wildcard_match("a*b*c", "acb"));
  EXPECT_FALSE(wildcard_match("ab*ba", "aba"));
  EXPECT_TRUE(wildcard_match("**", ""));
  EXPECT_FALSE(wildcard_match("", "x"));
  EXPECT_TRUE(wildcard_match("*aab", "aaab"));
}

RC_GTEST_PROP(Wildcard, AgreesWithTheNaiveOne, ()) {
  const auto letters = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab")));
  const auto starred = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab*")));
  const std::string pattern = (*starred).substr(0, 8);
  const std::string text = (*letters).substr(0, 10);
  RC_ASSERT(wildcard_match(pattern, text) == testing::naive_wildcard(pattern, text));
}

TEST(Wildcard, TakesLinearTime) {
  // Backtracking would need longer than anybody waits.
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a*aa";
  EXPECT_FALSE(wildcard_match(pattern + "*b", std::string(200'000, 'a')));
}

RC_GTEST_PROP(Filter, EngineAgreesWithTheNaiveOne, ()) {
  const Json spec = *testing::gen_filter();
  const auto filter = Filter::parse(spec);
  RC_ASSERT(filter.has_value());
  bool any = false;
  for (int left = 10; left > 0; --left) {
    const MessageParts parts = *testing::gen_parts();
    const Message message = build_message(parts);
    const bool expected = testing::naive_matches(spec, parts);
    any |= expected;
    RC_ASSERT(filter->matches(message.view()) == expected);
    const auto verdicts = filter->explain(message.view());
    RC_ASSERT(std::ranges::all_of(verdicts, &Filter::Verdict::holds) == expected);
  }
  RC_CLASSIFY(any, "one of ten matches");
}

}  // namespace
}  // namespace hastur
