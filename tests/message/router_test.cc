#include "message/router.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/message/naive_filter.h"

namespace hastur {
namespace {

using testing::build_message;
using testing::MessageParts;

MessageParts gauge(std::string name, double value = 1) {
  MessageParts parts;
  parts.name = std::move(name);
  parts.value = value;
  parts.uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";
  return parts;
}

Batch batch_of(const std::vector<MessageParts>& rows) {
  BatchBuilder builder;
  for (const MessageParts& row : rows) builder.add(build_message(row).view());
  return builder.finish({}, {1}, Time{});
}

Subscription subscription(std::uint32_t trigger, std::uint32_t callback, const Json& filter,
                          std::vector<MessageType> types = {}) {
  Subscription made;
  made.trigger = trigger;
  made.callback = callback;
  made.types = std::move(types);
  made.filter = *Filter::parse(filter);
  made.trigger_name = fmt::format("t{}", trigger);
  return made;
}

// "trigger: row/callback row/callback; …"
std::string route(Router& router, const Batch& batch, std::uint32_t from_row = 0) {
  static Routed routed;  // reused, as the dispatcher does
  const auto view = BatchView::open(batch.header, batch.body);
  EXPECT_TRUE(view);
  router.route(*view, from_row, routed);
  std::string text;
  for (const std::uint32_t trigger : routed.triggers()) {
    text += fmt::format("{}{}:", text.empty() ? "" : "; ", trigger);
    for (const Match& match : routed.matches(trigger))
      text += fmt::format(" {}/{}", match.row, match.callback);
  }
  return text;
}

TEST(Router, WithoutSubscriptionsNothingMatches) {
  Router router;
  EXPECT_EQ(route(router, batch_of({gauge("a")})), "");
}

TEST(Router, NamesAreFoundExactlyByListByPatternAndByAnything) {
  Router router;
  router.build({subscription(0, 0, {{"name", "a"}}),
                subscription(1, 0, {{"name", {"b", "a", "b"}}}),
                subscription(2, 0, {{"name", "c*"}}), subscription(3, 0, Json::object())});
  EXPECT_EQ(route(router, batch_of({gauge("a"), gauge("b"), gauge("cd"), gauge("e"), gauge("a")})),
            "0: 0/0 4/0; 1: 0/0 1/0 4/0; 2: 2/0; 3: 0/0 1/0 2/0 3/0 4/0");
}

TEST(Router, MatchesComeByRowThenByCallback) {
  Router router;
  router.build({subscription(0, 2, {{"name", "a"}}), subscription(0, 0, {{"name", "*"}}),
                subscription(0, 1, Json::object())});
  EXPECT_EQ(route(router, batch_of({gauge("a"), gauge("b"), gauge("a")})),
            "0: 0/0 0/1 0/2 1/0 1/1 2/0 2/1 2/2");
}

TEST(Router, TypesOfSubscriptionAndFilterMustBothHold) {
  MessageParts mark = gauge("a");
  mark.type = MessageType::mark;
  mark.value = "x";
  Router router;
  router.build({subscription(0, 0, {{"name", "a"}}, {MessageType::gauge}),
                subscription(1, 0, Json::object(), {MessageType::mark, MessageType::counter}),
                subscription(2, 0, {{"type", "gauge"}}, {MessageType::mark})});
  EXPECT_EQ(route(router, batch_of({gauge("a"), mark})), "0: 0/0; 1: 1/0");
}

TEST(Router, TicksMatchNothing) {
  BatchBuilder builder;
  builder.add_tick(time_from_us(1'000'000), time_from_us(1'000'000), Micros{0});
  Router router;
  router.build({subscription(0, 0, Json::object()), subscription(1, 0, {{"name", false}})});
  EXPECT_EQ(route(router, builder.finish({}, {1}, Time{})), "");
}

TEST(Router, NamelessMessagesReachThoseWhoAskNoName) {
  MessageParts log = gauge("");
  log.type = MessageType::log;
  log.name.reset();
  Router router;
  router.build({subscription(0, 0, {{"name", false}}), subscription(1, 0, Json::object()),
                subscription(2, 0, {{"name", "*"}}), subscription(3, 0, {{"name", ""}})});
  EXPECT_EQ(route(router, batch_of({log, gauge("")})), "0: 0/0; 1: 0/0 1/0; 2: 1/0; 3: 1/0");
}

TEST(Router, OwnMessagesComeOnlyToWhoAsksForThem) {
  MessageParts derived = gauge("a");
  derived.origin = MessageParts::From{"t0", 1, 1, 0, 1};
  Subscription wants_own = subscription(2, 0, Json::object());
  wants_own.own = true;
  wants_own.trigger_name = "t0";
  Router router;
  router.build(
      {subscription(0, 0, {{"name", "a"}}), subscription(1, 0, {{"name", "a"}}), wants_own});
  EXPECT_EQ(route(router, batch_of({derived, gauge("a")})), "0: 1/0; 1: 0/0 1/0; 2: 0/0 1/0");
}

TEST(Router, CorrectionsOfAReplayReachNobody) {
  MessageParts derived = gauge("a");
  derived.origin = MessageParts::From{"t0", 2, 1, 0, 1, true};
  Subscription wants_own = subscription(1, 0, Json::object());
  wants_own.own = true;
  wants_own.trigger_name = "t0";
  Router router;
  router.build({subscription(0, 0, {{"name", "a"}}), wants_own});
  EXPECT_EQ(route(router, batch_of({derived, gauge("a")})), "0: 1/0; 1: 1/0");
}

TEST(Router, RowsBeforeTheFirstWantedAreLeftOut) {
  Router router;
  router.build({subscription(0, 0, Json::object())});
  const Batch batch = batch_of({gauge("a"), gauge("b"), gauge("c")});
  EXPECT_EQ(route(router, batch, 2), "0: 2/0");
  EXPECT_EQ(route(router, batch, 3), "");
}

TEST(Router, EqualIdsOfAnotherBatchAreNotTakenForTheSame) {
  MessageParts x = gauge("a"), y = gauge("b");
  x.labels = {{"app", "x"}};
  y.labels = {{"app", "y"}};
  Router router;
  router.build(
      {subscription(0, 0, {{"labels", {{"app", "x"}}}}), subscription(1, 0, {{"name", "a"}})});
  EXPECT_EQ(route(router, batch_of({x})), "0: 0/0; 1: 0/0");
  EXPECT_EQ(route(router, batch_of({y})), "");
  EXPECT_EQ(route(router, batch_of({x})), "0: 0/0; 1: 0/0");
}

TEST(Router, BuildReplacesAllSubscriptions) {
  Router router;
  router.build({subscription(5, 0, Json::object())});
  EXPECT_EQ(route(router, batch_of({gauge("a")})), "5: 0/0");
  router.build({subscription(0, 1, Json::object())});
  EXPECT_EQ(route(router, batch_of({gauge("a")})), "0: 0/1");
}

TEST(Router, StaysRightWhenMoreNamesCameThanItKeeps) {
  Router router;
  router.build({subscription(0, 0, {{"name", "n7*"}}), subscription(1, 0, {{"name", "n5"}})});
  for (int round = 0; round < 3; ++round) {
    std::vector<MessageParts> rows;
    for (int i = 0; i < 40'000 + round; ++i) rows.push_back(gauge(fmt::format("r{}.{}", round, i)));
    rows.push_back(gauge("n71"));
    rows.push_back(gauge("n5"));
    EXPECT_EQ(route(router, batch_of(rows)),
              fmt::format("0: {}/0; 1: {}/0", 40'000 + round, 40'001 + round));
  }
}

RC_GTEST_PROP(Router, AgreesWithTheNaiveOne, ()) {
  Router router;
  std::vector<Subscription> subscriptions;
  std::vector<Json> specs;
  std::map<std::uint32_t, std::uint32_t> callbacks;
  for (int left = *rc::gen::inRange(0, 10); left > 0; --left) {
    const auto trigger = *rc::gen::inRange<std::uint32_t>(0, 4);
    specs.push_back(*testing::gen_filter());
    const bool typed = *rc::gen::inRange(0, 3) == 0;
    subscriptions.push_back(
        subscription(trigger, callbacks[trigger]++, specs.back(),
                     typed ? std::vector{*testing::gen_type(), *testing::gen_type()}
                           : std::vector<MessageType>{}));
    subscriptions.back().own = *rc::gen::arbitrary<bool>();
  }
  router.build(subscriptions);
  Routed routed;
  // Several batches through one router: what it remembers must not show.
  for (int round = 0; round < 3; ++round) {
    std::vector<MessageParts> rows;
    for (int left = *rc::gen::inRange(0, 12); left > 0; --left) {
      rows.push_back(*testing::gen_parts());
      if (*rc::gen::inRange(0, 4) == 0) rows.back().origin = MessageParts::From{"t1", 1, 1, 0, 1};
    }
    const Batch batch = batch_of(rows);
    const auto view = BatchView::open(batch.header, batch.body);
    RC_ASSERT(view.has_value());
    const auto from_row = *rc::gen::inRange<std::uint32_t>(0, view->count() + 1);
    std::map<std::uint32_t, std::vector<Match>> expected;
    for (std::uint32_t row = from_row; row < rows.size(); ++row) {
      for (std::size_t i = 0; i < subscriptions.size(); ++i) {
        const Subscription& one = subscriptions[i];
        const bool type =
            one.types.empty() || std::ranges::find(one.types, rows[row].type) != one.types.end();
        const bool own =
            rows[row].origin && rows[row].origin->trigger == one.trigger_name && !one.own;
        if (type && !own && testing::naive_matches(specs[i], rows[row]))
          expected[one.trigger].push_back({row, one.callback});
      }
    }
    router.route(*view, from_row, routed);
    RC_ASSERT(routed.triggers().size() == expected.size());
    for (const auto& [trigger, matches] : expected) {
      const auto found = routed.matches(trigger);
      RC_ASSERT(std::vector<Match>(found.begin(), found.end()) == matches);
    }
  }
}

}  // namespace
}  // namespace hastur
