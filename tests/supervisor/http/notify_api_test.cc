// What the API says of notifications, and what people may order.

#include "supervisor/http/notify_api.h"

#include <gtest/gtest.h>

#include "tests/supervisor/notify/channels.h"
#include "tests/supervisor/notify/fake_sink.h"

namespace hastur {
namespace {

class NotifyApiTest : public ::testing::Test {
 protected:
  NotifyApiTest()
      : channels_(channels_of(two_channels)),
        policy_(NotifyMode::on, channels_),
        delivery_(*store_, clock_, sink_, policy_, channels_, {}),
        orders_(*store_, clock_, policy_, delivery_),
        api_(*store_, clock_, channels_, policy_, orders_, delivery_, calls()) {
    CommitBatch batch;
    RunStart start;
    start.version = VersionRecord{"v1", "billing/load", {{"load.lua", ""}}};
    start.run = {"billing/load", hastur::Run{1}, "v1", "{}", "fake", "deploy", Sequence{0}, now_};
    start.checkpoint.trigger = "billing/load";
    start.checkpoint.run = hastur::Run{1};
    batch.starts.push_back(std::move(start));
    EXPECT_TRUE(store_->commit(batch));
    EXPECT_TRUE(orders_.start());
    EXPECT_TRUE(delivery_.start());
    sink_.refill(delivery_);
  }

  NotifyApi::Calls calls() {
    NotifyApi::Calls calls;
    calls.is_trigger = [](const TriggerName& name) { return name == "billing/load"; };
    calls.channel_state = [](const std::string&) {
      ChannelState state;
      state.sent = 7;
      return state;
    };
    calls.try_channel = [this](const std::string& channel,
                               const std::function<void(const Answer&)>& tell) {
      tell({answer_, "it said: " + channel, {}});
    };
    return calls;
  }

  // The trigger asks; it is stored as the policy says.
  std::uint64_t asks(const std::string& key, const std::string& action = "trigger") {
    NotificationRecord record;
    record.trigger = "billing/load";
    record.run = hastur::Run{1};
    record.sequence = {++sequence_};
    record.time = clock_.now();
    record.payload = canonical_json({{"details", Json::object()},
                                     {"key", key},
                                     {"kind", "pager_duty"},
                                     {"options", {{"action", action}}},
                                     {"text", "load is high"},
                                     {"to", nullptr}});
    read_payload(record);
    policy_.decide(record);
    CommitBatch batch;
    batch.notifications.push_back(record);
    EXPECT_TRUE(store_->commit(batch));
    auto stored = store_->notifications({.since = {}, .status = {}, .trigger = {}, .max = 1'000});
    delivery_.stored({stored->back()});
    return stored->back().id;
  }

  Json get(const std::string& path, std::map<std::string, std::string> query = {},
           unsigned status = 200) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = std::move(query);
    const auto answer = api_.read(request);
    if (!answer) return "not ours";
    EXPECT_EQ(answer->status, status) << answer->body;
    return parse_json(answer->body).value();
  }
  Json post(const std::string& verb, const Json& body, unsigned status = 200) {
    HttpResponse response;
    EXPECT_TRUE(api_.command(verb, body, [&](HttpResponse given) { response = std::move(given); }));
    EXPECT_EQ(response.status, status) << verb << ": " << response.body;
    return parse_json(response.body).value();
  }
  std::string status_of(std::uint64_t id) {
    return get("/v1/notifications/" + short_id(id))["status"].get<std::string>();
  }

  Time now_ = test_time;
  ManualClock clock_{now_};
  std::unique_ptr<CheckpointStore> store_ = make_memory_store();
  std::map<std::string, Channel> channels_;
  FakeSink sink_;
  NotifyPolicy policy_;
  Delivery delivery_;
  NotifyOrders orders_;
  Answer::Verdict answer_ = Answer::Verdict::arrived;
  NotifyApi api_;
  std::uint64_t sequence_ = 0;
};

TEST_F(NotifyApiTest, ShowsModesChannelsAndWhatNobodyWasToldOf) {
  Json all = get("/v1/notify");
  EXPECT_EQ(all["mode"], "on");
  ASSERT_EQ(all["channels"].size(), 2u);
  EXPECT_EQ(all["channels"][0]["name"], "oncall");
  EXPECT_EQ(all["channels"][0]["default"], true);
  EXPECT_EQ(all["channels"][0]["sent"], 7);
  EXPECT_EQ(all["untold"], Json::array());
  post("notify", {{"mode", "record"}, {"why", "moving"}});
  asks("a");
  all = get("/v1/notify");
  EXPECT_EQ(all["mode"], "record");
  EXPECT_EQ(all["orders"][0]["why"], "moving");
  ASSERT_EQ(all["untold"].size(), 1u);
  EXPECT_EQ(all["untold"][0]["key"], "a");
  EXPECT_EQ(get("/v1/elsewhere"), "not ours");
}

TEST_F(NotifyApiTest, OnWithReleaseSendsWhatIsOpenAndWasOnlyRecorded) {
  post("notify", {{"mode", "record"}});
  const auto open = asks("a");
  const auto over = asks("b");
  asks("b", "resolve");
  EXPECT_TRUE(sink_.offered.empty());
  const Json answer = post("notify", {{"mode", "on"}, {"release", true}});
  EXPECT_EQ(answer["released"], 1);
  EXPECT_EQ(answer["mode"], "on");
  EXPECT_EQ(sink_.ids(), std::vector<std::uint64_t>{open});
  EXPECT_EQ(status_of(over), "recorded");
}

TEST_F(NotifyApiTest, AnEndMayBeAnyTime) {
  const std::int64_t end = to_us(now_ + std::chrono::hours{1});
  EXPECT_EQ(post("silence", {{"trigger", "billing/load"}, {"until", end}})["until"], end);
  EXPECT_EQ(
      post("silence", {{"trigger", "billing/load"}, {"until", "2024-01-01T01:00:00Z"}})["until"],
      end);
}

TEST_F(NotifyApiTest, AModeOffWithAnEndHoldsWhatIsStillOpenThen) {
  post("notify", {{"mode", "off"}, {"for", "1h"}});
  const auto open = asks("a");
  const auto over = asks("b");
  asks("b", "resolve");
  EXPECT_EQ(status_of(open), "pending");
  clock_.advance(std::chrono::minutes{61});
  orders_.turn();
  EXPECT_EQ(sink_.ids(), std::vector<std::uint64_t>{open});
  EXPECT_EQ(status_of(over), "closed");
}

TEST_F(NotifyApiTest, AResolveThatWasOnlyRecordedIsUntoldAndCanBeReleased) {
  const auto told = asks("a");
  sink_.offered.clear();
  delivery_.settled({told, Settlement::sent, "202"});
  delivery_.turn();
  post("notify", {{"mode", "record"}});
  const auto resolve = asks("a", "resolve");
  const Json untold = get("/v1/notify")["untold"];
  ASSERT_EQ(untold.size(), 1u);
  EXPECT_EQ(untold[0]["state"], "closed");
  EXPECT_EQ(post("notify", {{"mode", "on"}, {"release", true}})["released"], 1);
  EXPECT_EQ(sink_.ids(), std::vector<std::uint64_t>{resolve});
  EXPECT_EQ(get("/v1/notify")["untold"], Json::array());
}

TEST_F(NotifyApiTest, WhatItsReceiverRefusedIsUntold) {
  const auto refused = asks("a");
  EXPECT_EQ(get("/v1/notify")["untold"], Json::array()) << "it is on its way";
  delivery_.settled({refused, Settlement::failed, "400"});
  delivery_.turn();
  ASSERT_EQ(get("/v1/notify")["untold"].size(), 1u);
  EXPECT_EQ(get("/v1/notify")["untold"][0]["told_open"], false);
}

TEST_F(NotifyApiTest, AModeIsOfAllOfAChannelOrOfATrigger) {
  post("notify", {{"mode", "off"}, {"channel", "spare"}});
  EXPECT_EQ(get("/v1/notify")["channels"][1]["mode"], "off");
  EXPECT_EQ(get("/v1/notify")["mode"], "on");
  post("notify", {{"mode", "off"}, {"trigger", "billing/load"}, {"for", "2h"}, {"why", "w"}});
  EXPECT_EQ(status_of(asks("a")), "pending");
  clock_.advance(std::chrono::hours{3});
  orders_.turn();
  EXPECT_EQ(status_of(asks("b")), "waiting");
  post("notify", {{"mode", "default"}, {"channel", "spare"}});
  EXPECT_EQ(get("/v1/notify")["channels"][1]["mode"], "on");
}

TEST_F(NotifyApiTest, SaysWhatIsWrongWithAnOrder) {
  const auto says = [&](const std::string& verb, const Json& body, unsigned status,
                        const std::string& words) {
    const Json answer = post(verb, body, status);
    EXPECT_NE(answer["error"].get<std::string>().find(words), std::string::npos) << answer["error"];
  };
  says("notify", {{"mode", "loud"}}, 400, "on, record, off, default");
  says("notify", {{"mode", "on"}, {"channel", "oncal"}}, 404, "did you mean 'oncall'?");
  says("notify", {{"mode", "on"}, {"trigger", "nobody"}}, 404, "no trigger 'nobody'");
  says("notify", {{"mode", "on"}, {"channel", "spare"}, {"trigger", "billing/load"}}, 400,
       "not both");
  says("notify", {{"mode", "off"}, {"for", "soon"}}, 400, "'soon' is no span");
  says("notify", {{"mode", "off"}, {"until", "2020-01-01T00:00:00Z"}}, 400, "no time to come");
  says("notify", {{"mode", "default"}, {"for", "2h"}}, 400, "default has no end");
  says("notify", {{"mode", "off"}, {"fro", "2h"}}, 400,
       "no field 'fro' here; there are channel, for, mode, release, trigger, until, why");
  says("notify", {{"mode", "on"}, {"release", "yes"}}, 400, "release must be true or false");
  says("notify", {{"mode", "off"}, {"for", "2h"}, {"until", 1}}, 400, "keep one");
  says("silence", {{"trigger", "billing/load"}}, 400, "a silence has an end");
  says("silence", {{"trigger", "nobody/x"}, {"for", "2h"}}, 404, "no trigger 'nobody/x'");
  says("unsilence", {{"id", "3"}}, 400, "say which");
  says("unsilence", {{"id", "q-77"}}, 404, "q-77");
  says("release", {{"id", "4f21"}}, 400, "say which");
  says("close", {{"id", "n-4f21"}}, 404, "no notification n-4f21");
  says("notify-test", {{"channel", "pager"}}, 404, "no channel 'pager'");
}

TEST_F(NotifyApiTest, ASilenceIsOfTheLongestNameThatIsATrigger) {
  const Json silence =
      post("silence", {{"trigger", "billing/load/a/b"}, {"for", "2h"}, {"why", "new disks"}});
  EXPECT_EQ(silence["trigger"], "billing/load");
  EXPECT_EQ(silence["key"], "a/b");
  EXPECT_EQ(status_of(asks("a/b")), "pending");
  EXPECT_EQ(status_of(asks("other")), "waiting");
  post("unsilence", {{"id", silence["id"]}, {"why", "done"}});
  const Json orders = get("/v1/notify/orders");
  ASSERT_EQ(orders["items"].size(), 1u);
  EXPECT_EQ(orders["items"][0]["end_why"], "done");
  EXPECT_EQ(orders["next"], nullptr);
  EXPECT_EQ(get("/v1/notify")["orders"], Json::array());
}

TEST_F(NotifyApiTest, ReleasesAndClosesOneByHand) {
  post("notify", {{"mode", "record"}});
  const auto first = asks("a");
  const auto second = asks("b");
  post("release", {{"id", short_id(first)}}, 409);
  post("notify", {{"mode", "on"}});
  EXPECT_EQ(post("release", {{"id", short_id(first)}})["status"], "waiting");
  EXPECT_EQ(post("close", {{"id", short_id(second)}, {"why", "stale"}})["reason"], "closed: stale");
  EXPECT_EQ(sink_.ids(), std::vector<std::uint64_t>{first});
}

TEST_F(NotifyApiTest, ListsIncidentsAndShowsOneNotificationWithItsOwn) {
  const auto id = asks("a");
  asks("b");
  asks("b", "resolve");
  EXPECT_EQ(get("/v1/incidents")["items"].size(), 1u);
  EXPECT_EQ(get("/v1/incidents", {{"closed", "true"}})["items"].size(), 2u);
  EXPECT_EQ(get("/v1/incidents", {{"closed", "2"}}, 400)["reason"], "bad_argument");
  EXPECT_EQ(get("/v1/incidents", {{"trigger", "nobody"}})["items"].size(), 0u);
  const Json page = get("/v1/incidents", {{"closed", "true"}, {"limit", "1"}});
  ASSERT_EQ(page["items"].size(), 1u);
  const std::string next = std::to_string(page["next"].get<std::uint64_t>());
  EXPECT_EQ(get("/v1/incidents", {{"closed", "true"}, {"after", next}})["items"][0]["key"], "b");
  const Json one = get("/v1/notifications/" + short_id(id));
  EXPECT_EQ(one["incident"]["state"], "open");
  EXPECT_EQ(one["text"], "load is high");
  EXPECT_EQ(get("/v1/notifications/n-ffff", {}, 404)["reason"], "not_found");
  EXPECT_EQ(get("/v1/notifications/x", {}, 400)["reason"], "bad_argument");
}

TEST_F(NotifyApiTest, TriesAChannelAndTellsTheAnswer) {
  const Json arrived = post("notify-test", {{"channel", "spare"}});
  EXPECT_EQ(arrived["verdict"], "arrived");
  EXPECT_EQ(arrived["answer"], "it said: spare");
  answer_ = Answer::Verdict::refused;
  EXPECT_EQ(post("notify-test", {{"channel", "spare"}})["verdict"], "refused");
  answer_ = Answer::Verdict::again;
  EXPECT_EQ(post("notify-test", {{"channel", "spare"}})["verdict"], "failed");
}

TEST_F(NotifyApiTest, CountsForMetrics) {
  post("notify", {{"mode", "record"}});
  const std::string metrics = api_.metrics();
  for (const char* line :
       {"hastur_notify_mode{mode=\"record\"} 1\n", "hastur_notify_mode{mode=\"on\"} 0\n",
        "hastur_notify_orders 1\n", "hastur_notifications_sent_total{channel=\"spare\"} 7\n"})
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
}

}  // namespace
}  // namespace hastur
