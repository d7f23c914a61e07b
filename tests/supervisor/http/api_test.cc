// The API's commands: who may give one, and what comes of it.

#include "supervisor/http/api.h"

#include <gtest/gtest.h>

#include <optional>

#include "core/json.h"
#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

class ApiTest : public ::testing::Test {
 protected:
  ApiTest()
      : history_([](const RequestFrame&) {}),
        deploy_api_(*rig_.dispatcher, *rig_.store, {[this] { ++read_again_; }}),
        deployer_(loop_, rig_.clock, *rig_.dispatcher, {}),
        folder_(rig_.clock, *rig_.dispatcher, "/nowhere/triggers"),
        commit_api_(*rig_.dispatcher, deployer_, nullptr, &folder_),
        api_(*rig_.dispatcher, *rig_.store, history_, rig_.clock,
             {"0123456789abcdef", nullptr, &deploy_api_, &commit_api_}) {
    rig_.desire({{"billing/t", "match=a"}});
  }

  HttpResponse ask(HttpRequest request) {
    HttpResponse response;
    api_.answer(request, [&](HttpResponse given) { response = std::move(given); });
    rig_.pump();
    for (const Deployed& decided : std::exchange(rig_.deployed, {})) deploy_api_.deployed(decided);
    return response;
  }
  HttpRequest command(const std::string& verb, const std::string& body) {
    HttpRequest request;
    request.method = "POST";
    request.path = "/v1/commands/" + verb;
    request.body = body;
    request.from_loopback = true;
    request.token = "0123456789abcdef";
    request.host = "127.0.0.1:8127";
    return request;
  }
  HttpResponse get(const std::string& path) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.from_loopback = true;
    return ask(request);
  }

  Rig rig_;
  HistoryReader history_;
  int read_again_ = 0;
  DeployApi deploy_api_;
  Loop loop_;
  Deployer deployer_;
  FollowedFolder folder_;
  CommitApi commit_api_;
  Api api_;
};

TEST_F(ApiTest, SaysAtOnceThatHistoryCannotBeReadWithoutASyndicator) {
  const HttpResponse before = get("/v1/messages");
  EXPECT_EQ(before.status, 503u);
  EXPECT_NE(before.body.find("is it running?"), std::string::npos) << before.body;

  // One that is under way when the connection goes ends with it.
  history_.connected();
  HttpRequest request;
  request.method = "GET";
  request.path = "/v1/messages";
  request.from_loopback = true;
  std::optional<HttpResponse> answer;
  api_.answer(request, [&](HttpResponse given) { answer = std::move(given); });
  EXPECT_FALSE(answer);
  history_.disconnected();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503u);
  EXPECT_NE(answer->body.find("was lost"), std::string::npos) << answer->body;
}

TEST_F(ApiTest, PausesAndResumesAndShowsIt) {
  const HttpResponse paused = ask(command("pause", R"({"trigger":"billing/t","why":"new disks"})"));
  EXPECT_EQ(paused.status, 200u);
  const Json shown = parse_json(get("/v1/triggers/billing/t").body).value();
  EXPECT_EQ(shown["status"], "paused");
  EXPECT_EQ(shown["paused"]["why"], "new disks");
  EXPECT_EQ(shown["paused"]["by"], "person");
  EXPECT_EQ(shown["isolation"], "shared");
  EXPECT_NE(get("/metrics").body.find("hastur_triggers_paused 1\n"), std::string::npos);
  EXPECT_EQ(ask(command("pause", R"({"trigger":"billing/t"})")).status, 409u);
  EXPECT_EQ(ask(command("resume", R"({"trigger":"billing/t"})")).status, 200u);
  EXPECT_EQ(parse_json(get("/v1/triggers/billing/t").body).value()["paused"], nullptr);
}

TEST_F(ApiTest, OfAFolderTellsItsNameAndTakesNoCommit) {
  EXPECT_EQ(get("/v1/source").body,
            R"({"directory":"/nowhere/triggers","kind":"directory","trouble":null})");
  for (const char* verb : {"judge", "follow", "deploy"}) {
    const HttpResponse refused = ask(command(verb, "{}"));
    EXPECT_EQ(refused.status, 409u) << verb;
    EXPECT_NE(refused.body.find("the folder /nowhere/triggers"), std::string::npos) << refused.body;
  }
}

TEST_F(ApiTest, AFolderThatCannotBeReadIsATrouble) {
  EXPECT_EQ(get("/healthz").status, 200u);
  EXPECT_NE(get("/metrics").body.find("hastur_source_trouble 0\n"), std::string::npos);
  folder_.read();
  const HttpResponse health = get("/healthz");
  EXPECT_EQ(health.status, 503u);
  EXPECT_NE(health.body.find("the triggers' directory /nowhere/triggers cannot be read: No such"),
            std::string::npos)
      << health.body;
  const Json source = parse_json(get("/v1/source").body).value();
  EXPECT_TRUE(source["trouble"]["since"].is_number_integer()) << source;
  EXPECT_NE(get("/metrics").body.find("hastur_source_trouble 1\n"), std::string::npos);
  rig_.pump();
  EXPECT_TRUE(rig_.dispatcher->triggers().contains("billing/t")) << "what runs goes on running";
}

TEST_F(ApiTest, OnlyACommitOfWhoMayChangeSomethingMayBeLarge) {
  const HttpRequest judge = command("judge", "");
  EXPECT_EQ(api_.body_bytes_max(judge), CommitApi::body_bytes_max);
  HttpRequest other = judge;
  other.path = "/v1/commands/pause";
  EXPECT_EQ(api_.body_bytes_max(other), 1u << 20);
  HttpRequest stranger = judge;
  stranger.token = "0123456789abcdeF";
  EXPECT_EQ(api_.body_bytes_max(stranger), 1u << 20);
}

TEST_F(ApiTest, RollsBackWhenThatIsStoredAndListsWhatChangedTheSet) {
  rig_.send("a", 25);
  rig_.deploy({{"billing/t", "match=a emit=2"}}, "0123abcd");
  rig_.send("a", 5);
  const HttpResponse back =
      ask(command("rollback", R"({"trigger":"billing/t","why":"it pages all night"})"));
  ASSERT_EQ(back.status, 200u) << back.body;
  const Json record = parse_json(back.body).value();
  EXPECT_EQ(record["kind"], "rollback");
  EXPECT_EQ(record["id"], "d-3");
  EXPECT_EQ(record["report"], "it pages all night");
  EXPECT_EQ(record["replay"], "waiting");
  EXPECT_EQ(record["changes"][0]["snapshot"].get<std::string>().substr(0, 2), "s-");
  const Json all = parse_json(get("/v1/deployments").body).value();
  ASSERT_EQ(all["items"].size(), 3u);
  EXPECT_EQ(all["items"][1]["commit"], "0123abcd");
  EXPECT_EQ(all["items"][1]["verdict"], "accepted");
  EXPECT_EQ(all["items"][1]["replay"], nullptr);
  EXPECT_EQ(all["items"][0]["changes"][0]["outcome"], "live");
  EXPECT_EQ(parse_json(get("/v1/deployments/d-2").body).value(), all["items"][1]);
  EXPECT_EQ(get("/v1/deployments/d-9").status, 404u);
  EXPECT_EQ(get("/v1/deployments/2").status, 404u);
  EXPECT_EQ(parse_json(get("/v1/triggers/billing/t").body).value()["pinned"], "it pages all night");
  const Json pins = parse_json(get("/v1/pins").body).value();
  ASSERT_EQ(pins["items"].size(), 1u);
  EXPECT_EQ(pins["items"][0]["deployment"], "d-3");
  EXPECT_EQ(ask(command("unpin", R"({"trigger":"billing/t"})")).status, 200u);
  EXPECT_EQ(read_again_, 1);
  EXPECT_EQ(ask(command("unpin", R"({"trigger":"billing/t"})")).status, 404u);
  EXPECT_EQ(ask(command("rollback", R"({"trigger":"nobody"})")).status, 404u);
  EXPECT_EQ(ask(command("rollback", R"({"trigger":"billing/t","before":"2"})")).status, 400u);
}

TEST_F(ApiTest, ARollbackLeavesHistorySinceOutIfItIsToldTo) {
  rig_.send("a", 25);
  rig_.deploy({{"billing/t", "match=a emit=2"}});
  const std::string bad = R"({"trigger":"billing/t","replay":"no"})";
  EXPECT_EQ(ask(command("rollback", bad)).status, 400u);
  const HttpResponse back = ask(command("rollback", R"({"trigger":"billing/t","replay":false})"));
  ASSERT_EQ(back.status, 200u) << back.body;
  EXPECT_EQ(parse_json(back.body).value()["replay"], nullptr);
}

TEST_F(ApiTest, RefusesACommandThatIsNotFromUs) {
  const std::string body = R"({"trigger":"billing/t"})";
  HttpRequest no_token = command("pause", body);
  no_token.token = "";
  EXPECT_EQ(ask(no_token).status, 401u);
  HttpRequest wrong_token = command("pause", body);
  wrong_token.token = "0123456789abcdeX";
  EXPECT_EQ(ask(wrong_token).status, 401u);
  HttpRequest rebound = command("pause", body);
  rebound.host = "metrics.example.com:8127";
  EXPECT_EQ(ask(rebound).status, 403u);
  HttpRequest no_host = command("pause", body);
  no_host.host = "";
  EXPECT_EQ(ask(no_host).status, 403u);
  HttpRequest elsewhere = command("pause", body);
  elsewhere.origin = "http://example.com";
  EXPECT_EQ(ask(elsewhere).status, 403u);
  HttpRequest got = command("pause", body);
  got.method = "GET";
  EXPECT_EQ(ask(got).status, 405u);
  EXPECT_EQ(rig_.trigger("billing/t").open_pause(), nullptr);
  for (const char* host : {"localhost", "localhost:8127", "[::1]:8127", "127.0.0.1", "[::1]"}) {
    HttpRequest own = command("resume", body);
    own.host = host;
    own.origin = std::string("http://") + host;
    EXPECT_EQ(ask(own).status, 409u) << host;
  }
}

TEST_F(ApiTest, WhoeverIsElsewhereNeedsTheTokenToReadToo) {
  for (const char* path :
       {"/v1/triggers", "/v1/notifications", "/v1/incidents", "/v1/notify", "/v1/notify/orders",
        "/v1/notifications/n-0001", "/v1/deployments", "/v1/messages", "/v1/stats", "/v1/source",
        "/metrics", "/healthz", "/", "/none"}) {
    HttpRequest request;
    request.method = "GET";
    request.from_loopback = false;
    request.path = path;
    EXPECT_EQ(ask(request).status, 401u) << path;
    request.token = "wrong";
    EXPECT_EQ(ask(request).status, 401u) << path;
  }
}

TEST_F(ApiTest, NotificationsAreReadPageByPageInBothOrders) {
  CommitBatch batch;
  for (std::uint32_t i = 0; i < 5; ++i) {
    NotificationRecord record;
    record.trigger = "billing/t";
    record.ordinal = i;
    record.time = time_from_us(i);
    record.payload = "{}";
    batch.notifications.push_back(record);
  }
  ASSERT_TRUE(rig_.store->commit(batch));
  const auto page = [&](std::map<std::string, std::string> query) {
    HttpRequest request;
    request.method = "GET";
    request.from_loopback = true;
    request.path = "/v1/notifications";
    query["limit"] = "2";
    request.query = std::move(query);
    const HttpResponse answer = ask(request);
    const Json list = parse_json(answer.body).value();
    if (answer.status != 200) return list["error"].get<std::string>();
    std::string ids;
    for (const Json& item : list["items"]) ids += item["id"].get<std::string>() + " ";
    return ids + list["next"].dump();
  };
  EXPECT_EQ(page({}), "n-0001 n-0002 2");
  EXPECT_EQ(page({{"after", "2"}}), "n-0003 n-0004 4");
  EXPECT_EQ(page({{"after", "n-0004"}}), "n-0005 null");
  EXPECT_EQ(page({{"order", "newest"}}), "n-0005 n-0004 4");
  EXPECT_EQ(page({{"order", "newest"}, {"before", "4"}}), "n-0003 n-0002 2");
  EXPECT_EQ(page({{"order", "newest"}, {"before", "n-0002"}}), "n-0001 null");
  EXPECT_EQ(page({{"order", "up"}}), "order is one of oldest, newest");
}

TEST_F(ApiTest, RefusesArgumentsAndMethodsThatItDoesNotKnow) {
  HttpRequest request;
  request.method = "GET";
  request.from_loopback = true;
  request.path = "/v1/notifications";
  request.query = {{"statsu", "sent"}};
  const HttpResponse unknown = ask(request);
  EXPECT_EQ(unknown.status, 400u);
  EXPECT_EQ(parse_json(unknown.body).value()["error"],
            "there is no argument 'statsu' here; there are after, before, limit, order, since, "
            "status, trigger");
  for (const char* path : {"/healthz", "/metrics", "/v1/triggers", "/v1/triggers/billing/t",
                           "/v1/triggers/billing/t/state", "/v1/triggers/billing/t/snapshots",
                           "/v1/pins", "/v1/source"}) {
    request.path = path;
    const HttpResponse refused = ask(request);
    EXPECT_EQ(refused.status, 400u) << path;
    EXPECT_NE(refused.body.find("no argument 'statsu' here"), std::string::npos) << refused.body;
  }
  request.path = "/v1/triggers/none";
  EXPECT_EQ(ask(request).status, 404u) << "what is not there takes no arguments either";
  const auto refusal_of = [&](const char* path, const char* name, const char* value) {
    request.path = path;
    request.query = {{name, value}};
    const HttpResponse refused = ask(request);
    EXPECT_EQ(refused.status, 400u) << path << " " << name << "=" << value;
    return parse_json(refused.body).value()["error"].get<std::string>();
  };
  EXPECT_EQ(refusal_of("/v1/messages", "derived", "maybe"), "derived is true or false");
  EXPECT_EQ(refusal_of("/v1/messages", "uuid", "xx"),
            "uuid has 36 characters, 8-4-4-4-12 hex digits");
  HttpRequest posted = command("pause", R"({"trigger":"billing/t","why":"w"})");
  posted.query = {{"why", "x"}};
  EXPECT_EQ(ask(posted).status, 400u);
  request.query.clear();
  for (const char* path : {"/healthz", "/v1/triggers", "/metrics"}) {
    request.path = path;
    request.method = "PUT";
    const HttpResponse refused = ask(request);
    EXPECT_EQ(refused.status, 405u) << path;
    EXPECT_EQ(parse_json(refused.body).value()["reason"], "method_not_allowed") << path;
    request.method = "HEAD";
    EXPECT_NE(ask(request).status, 405u) << path;
  }
}

TEST_F(ApiTest, HealthNamesASyndicatorThatDoesNotAnswer) {
  EXPECT_EQ(get("/healthz").status, 200u);
  rig_.clock.advance(std::chrono::seconds{7});
  HttpRequest request;
  request.method = "GET";
  request.from_loopback = true;
  request.path = "/healthz";
  HttpResponse response;
  api_.answer(request, [&](HttpResponse given) { response = std::move(given); });
  EXPECT_EQ(response.status, 503u);
  EXPECT_NE(response.body.find("the syndicator has not answered for 7 s"), std::string::npos)
      << response.body;
  rig_.pump();
  EXPECT_EQ(get("/healthz").status, 200u) << "it answers again";
}

TEST_F(ApiTest, HealthNamesAHistoryThatCannotBeWritten) {
  const auto health = [&] {
    HttpRequest request;
    request.method = "GET";
    request.from_loopback = true;
    request.path = "/healthz";
    HttpResponse response;
    api_.answer(request, [&](HttpResponse given) { response = std::move(given); });
    return std::to_string(response.status) + " " + response.body;
  };
  PositionReply position;
  position.stream = rig_.history->stream();
  position.counters = {{PositionReply::history_failing_name, 7'000'001},
                       {"lost.history_full", 497}};
  rig_.dispatcher->connected();
  rig_.dispatcher->turn();
  for (Action& action : rig_.dispatcher->take_actions()) {
    const auto* send = std::get_if<SendRequest>(&action);
    if (send == nullptr) continue;
    if (std::holds_alternative<PositionRequest>(send->frame.request))
      rig_.dispatcher->replied({send->frame.id, position});
  }
  EXPECT_NE(
      health().find("cannot write its History for 8s: what arrives is held, and 497 messages"),
      std::string::npos)
      << health();
}

// A slip in a name must not make another command of it.
TEST_F(ApiTest, TakesNoFieldThatACommandDoesNotKnowAndNoneOfAnotherType) {
  rig_.send("a", 25);
  rig_.deploy({{"billing/t", "match=a emit=2"}});
  rig_.deployed.clear();
  const auto refusal_of = [&](const std::string& verb, const std::string& body) {
    const HttpResponse refused = ask(command(verb, body));
    EXPECT_EQ(refused.status, 400u) << verb << " " << body;
    const Json json = parse_json(refused.body).value();
    EXPECT_EQ(json["reason"], "bad_argument") << verb << " " << body;
    return json["error"].get<std::string>();
  };
  EXPECT_EQ(refusal_of("rollback", R"({"trigger":"billing/t","befor":"d-1"})"),
            "there is no field 'befor' here; there are before, replay, trigger, why");
  EXPECT_EQ(refusal_of("rollback", R"({"trigger":"billing/t","before":5})"),
            "before must be a text");
  EXPECT_EQ(refusal_of("rollback", R"({"trigger":"billing/t","before":null})"),
            "before must be a text");
  EXPECT_EQ(refusal_of("rollback", R"({"trigger":"billing/t","replay":"no"})"),
            "replay must be true or false");
  EXPECT_EQ(rig_.trigger("billing/t").run(), hastur::Run{2}) << "nothing was rolled back";
  EXPECT_EQ(refusal_of("unpin", R"({"name":"billing/t"})"),
            "there is no field 'name' here; there are trigger");
  EXPECT_EQ(refusal_of("pause", R"({"trigger":"billing/t","snapshot":"s-1"})"),
            "there is no field 'snapshot' here; there are trigger, why");
  EXPECT_EQ(refusal_of("resume", R"({"trigger":"billing/t","why":7})"), "why must be a text");
  EXPECT_EQ(refusal_of("restore", R"({"trigger":"billing/t","snapshot":1})"),
            "snapshot must be a text");
  EXPECT_EQ(refusal_of("judge", R"({"comit":"c"})"),
            "there is no field 'comit' here; there are author, branch, commit, files, problems, "
            "subject, time");
  EXPECT_EQ(refusal_of("judge", R"({"branch":1})"), "branch must be a text");
  EXPECT_EQ(refusal_of("follow", R"({"commit":["c"]})"), "commit must be a text");
  EXPECT_EQ(refusal_of("deploy", R"({"only":"t","comit":"c"})"),
            "there is no field 'comit' here; there are commit, only, why");
  EXPECT_EQ(refusal_of("replay", R"({"step":"check","trigger":"t"})"),
            "there is no field 'trigger' here; there are file, replay, step, triggers");
  EXPECT_EQ(refusal_of("replay", R"({"step":"check","triggers":[{"trigger":"t","ran":1}]})"),
            "triggers: there is no field 'ran' here; there are replaces, run, trigger");
  EXPECT_EQ(refusal_of("replay",
                       R"({"step":"check","triggers":[{"trigger":"t","run":-1,"replaces":1}]})"),
            "triggers: run must be a whole number");
}

TEST_F(ApiTest, OfATriggerThatWasRemovedSaysHowItComesBack) {
  rig_.desire({{"other", "match=a"}});
  const HttpResponse none = ask(command("rollback", R"({"trigger":"billing/t"})"));
  EXPECT_EQ(none.status, 404u);
  EXPECT_NE(none.body.find("it was removed. Once its file is back"), std::string::npos)
      << none.body;
  const HttpResponse snapshots = get("/v1/triggers/billing/t/snapshots");
  EXPECT_TRUE(snapshots.status == 200 || snapshots.body.find("it was removed") != std::string::npos)
      << snapshots.body;
  EXPECT_EQ(get("/v1/triggers/nobody/snapshots").status, 404u);
}

TEST_F(ApiTest, SaysWhatIsWrongWithACommand) {
  EXPECT_EQ(ask(command("pause", "{")).status, 400u);
  EXPECT_EQ(ask(command("pause", "[]")).status, 400u);
  EXPECT_EQ(ask(command("pause", R"({"trigger":7})")).status, 400u);
  EXPECT_EQ(ask(command("pause", R"({"trigger":"nobody"})")).status, 404u);
  EXPECT_EQ(ask(command("fly", R"({"trigger":"billing/t"})")).status, 404u);
}

}  // namespace
}  // namespace hastur::test
