#include "supervisor/cli/commands.h"
#include "supervisor/cli/deploy_commands.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "core/fd.h"
#include "supervisor/cli/watch.h"
#include "tests/supervisor/cli/fake_api.h"
#include "tests/supervisor/cli/printed.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

const Time now = time_from_us(1'700'000'000'000'000);

// A UDP port of loopback; what came lies in the kernel until it is read.
class Port {
 public:
  Port() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  const std::string& address() const { return address_; }
  // Empty if nothing is there.
  std::string read() {
    std::string bytes(70'000, '\0');
    const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return bytes;
  }

 private:
  Fd socket_;
  std::string address_;
};

TEST(Send, SendsOneMessage) {
  Port port;
  std::istringstream none;
  const auto sent = printed([&] {
    return send_command({{"gauge", "a", "5", {"k=v"}, {}}, port.address()}, none, now);
  });
  EXPECT_EQ(sent.code, 0) << sent.err;
  EXPECT_EQ(port.read(), R"({"labels":{"k":"v"},"name":"a","type":"gauge","value":5})");
}

TEST(Send, PrintsARefusalAndSendsNothing) {
  Port port;
  std::istringstream none;
  const auto sent = printed([&] {
    return send_command({{"gauge", "a", "x", {}, {}}, port.address()}, none, now);
  });
  EXPECT_EQ(sent.code, 1);
  EXPECT_EQ(sent.err.rfind("hastur: bad_value: ", 0), 0u) << sent.err;
  EXPECT_EQ(port.read(), "");
}

TEST(Send, SendsTheLinesThatAreInOrder) {
  Port port;
  std::istringstream lines(
      "{\"type\":\"gauge\",\"name\":\"a\",\"value\":1}\n\nnonsense\n"
      "{\"type\":\"gauge\",\"name\":\"b\",\"value\":2}");
  const auto sent = printed([&] {
    return send_command({{"-", "", "", {}, {}}, port.address()}, lines, now);
  });
  EXPECT_EQ(sent.code, 1);
  EXPECT_EQ(sent.out, "sent 2 messages to " + port.address() + "\n");
  EXPECT_EQ(sent.err.rfind("hastur: line 3 is not sent: not_json: ", 0), 0u) << sent.err;
  EXPECT_NE(port.read().find("\"a\""), std::string::npos);
  EXPECT_NE(port.read().find("\"b\""), std::string::npos);
  EXPECT_EQ(port.read(), "");
}

TEST(Send, RefusesWhatIsNoAddress) {
  std::istringstream none;
  for (const char* to : {"8125", "127.0.0.1:", "no host:1"}) {
    EXPECT_EQ(printed([&] {
                return send_command({{"gauge", "a", "1", {}, {}}, to}, none, now);
              }).code,
              1)
        << to;
  }
}

class Asking : public testing::Test {
 protected:
  FakeApi api_;
  HttpClient http_{api_.address(), 10s};
};

TEST_F(Asking, GivesTheBodyOrTheServersSentence) {
  api_.answers("/a?k=x%20y%2F%26", "{\"b\":1}");
  EXPECT_EQ(http_.get_json("/a", {{"k", "x y/&"}}).value()["b"], 1);
  const auto missing = http_.get_json("/missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message, "there is nothing here");
  api_.answers("/odd", "not json");
  EXPECT_FALSE(http_.get_json("/odd"));
  api_.answers("/ill", "", 500);
  EXPECT_NE(http_.get_json("/ill").error().message.find("status 500"), std::string::npos);
}

// A file with a token, gone with the test.
class TokenFile {
 public:
  TokenFile() : path_(testing::TempDir() + "hastur_token_" + std::to_string(getpid())) {
    std::ofstream(path_) << "0123456789abcdef\n";
  }
  ~TokenFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Pause, TellsTheSupervisorWithTheTokenAndSaysWhatTheTriggerIsNow) {
  FakeApi api;
  api.answers("/v1/commands/pause", R"({"name":"t","status":"paused"})");
  HttpClient http(api.address(), 5s);
  const TokenFile token;
  const Printed result = printed([&] {
    return trigger_command(http, "pause", {"t", "maintenance", token.path()});
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "t is paused\n");
  EXPECT_NE(api.last_request().find("POST /v1/commands/pause"), std::string::npos);
  EXPECT_NE(api.last_request().find("Authorization: Bearer 0123456789abcdef\r\n"),
            std::string::npos);
}

TEST(Pause, SaysWhereTheTokenIsLookedFor) {
  FakeApi api;
  api.answers("/v1/commands/pause", R"({"error":"no","reason":"unauthorized"})", 401);
  HttpClient http(api.address(), 5s);
  const TokenFile token;
  const Printed wrong = printed([&] {
    return trigger_command(http, "pause", {"t", "", token.path()});
  });
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.err.find("--token-file"), std::string::npos) << wrong.err;
  const Printed none = printed([&] {
    return trigger_command(http, "pause", {"t", "", "/nowhere/token"});
  });
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.err.find("/nowhere/token"), std::string::npos) << none.err;
}

TEST(Pause, PrintsTheSupervisorsRefusal) {
  FakeApi api;
  api.answers("/v1/commands/resume", R"({"error":"t is not paused","reason":"conflict"})", 409);
  HttpClient http(api.address(), 5s);
  const TokenFile token;
  const Printed result = printed([&] {
    return trigger_command(http, "resume", {"t", "", token.path()});
  });
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("t is not paused"), std::string::npos) << result.err;
}

TEST(HttpClient, SaysThatNobodyAnswers) {
  std::string address;
  {
    FakeApi gone;
    address = gone.address();
  }
  HttpClient http(address, 10s);
  const auto answer = http.get("/healthz");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_NE(answer.error().message.find(address), std::string::npos);
  EXPECT_EQ(printed([&] { return list_command(http, false); }).code, 1);
}

TEST_F(Asking, ListShowsTriggers) {
  api_.answers("/v1/triggers", R"({"items":[{"name":"a","status":"running"}],"next":null})");
  EXPECT_NE(printed([&] { return list_command(http_, false); }).out.find("a        running"),
            std::string::npos);
  EXPECT_EQ(printed([&] { return list_command(http_, true); }).out,
            "{\"items\":[{\"name\":\"a\",\"status\":\"running\"}],\"next\":null}\n");
}

TEST_F(Asking, ShowTakesNamesWithSlashesAndTriggersWithoutState) {
  api_.answers("/v1/triggers/billing/load", R"({"name":"billing/load","status":"running"})");
  EXPECT_EQ(printed([&] { return show_command(http_, "billing/load", false); }).out,
            "billing/load  running\n");
  api_.answers("/v1/triggers/billing/load/state", R"({"state":{"n":1},"sequence":3,"time":0})");
  EXPECT_NE(
      printed([&] { return show_command(http_, "billing/load", false); }).out.find("\"n\": 1"),
      std::string::npos);
  EXPECT_EQ(printed([&] { return show_command(http_, "none", false); }).err,
            "hastur: there is nothing here\n");
}

TEST_F(Asking, ShowSaysByWhatATriggerIsPinned) {
  api_.answers("/v1/triggers/a", R"({"name":"a","status":"running","pinned":"it was worse"})");
  api_.answers(
      "/v1/pins",
      R"({"items":[{"trigger":"b","deployment":"d-4","why":"no","since":0},)"
      R"({"trigger":"a","deployment":"d-5","why":"it was worse","since":0}],"next":null})");
  const std::string out = printed([&] { return show_command(http_, "a", false); }).out;
  EXPECT_NE(out.find("by d-5 at 1970-01-01T00:00:00Z: it was worse\n"), std::string::npos) << out;
}

TEST_F(Asking, StatusEndsWithOneInTrouble) {
  api_.answers("/metrics", "hastur_received_total 5\n");
  api_.answers("/v1/triggers", R"({"items":[],"next":null})");
  api_.answers("/healthz", R"({"status":"ok"})");
  api_.answers("/healthz", R"({"status":"trouble","troubles":["the disk is full"]})", 503);
  EXPECT_EQ(printed([&] { return status_command(http_); }).code, 0);
  const auto trouble = printed([&] { return status_command(http_); });
  EXPECT_EQ(trouble.code, 1);
  EXPECT_NE(trouble.out.find("the disk is full"), std::string::npos);
}

TEST_F(Asking, DeploymentsAreATableAndOneIsAPage) {
  const std::string one =
      R"({"id":"d-7","kind":"commit","verdict":"accepted","sequence":90,"author":"Ada","time":0,)"
      R"("commit":"0123456789abcdef","subject":"page less","report":"all good\n","changes":[)"
      R"({"trigger":"a","before":"v1","version":"v2","why":"deploy","was":"","outcome":"live"},)"
      R"({"trigger":"b","before":"v1","version":"v3","why":"deploy","was":"c","outcome":"live"}]})";
  api_.answers("/v1/deployments?limit=20&trigger=a/b", R"({"items":[)" + one + R"(],"next":null})");
  api_.answers("/v1/deployments/d-7", one);
  DeployOptions options;
  options.trigger = "a/b";
  const auto list = printed([&] { return deployments_command(http_, options); });
  EXPECT_NE(list.out.find("1 changed, 1 renamed"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("0123456789  Ada"), std::string::npos) << list.out;
  options.deployment = "d-7";
  const auto page = printed([&] { return deployments_command(http_, options); });
  EXPECT_NE(page.out.find("was c"), std::string::npos) << page.out;
  EXPECT_NE(page.out.find("\nall good\n"), std::string::npos) << page.out;
}

TEST(DeploymentTable, CountsALateRefusalAsWhatItIs) {
  const auto items = parse_json(
      R"([{"id":"d-7","changes":[
           {"trigger":"a","before":"v1","version":"v2","why":"deploy","outcome":"live"},
           {"trigger":"b","before":"v1","version":"v3","why":"deploy","was":"c",
            "outcome":"refused: b.lua:3: no"}]}])");
  const std::string out = deployment_table(*items);
  EXPECT_NE(out.find("1 changed, 1 refused"), std::string::npos) << out;
}

TEST_F(Asking, ARollbackWaitsForItsReplayAndTellsWhatBecameOfIt) {
  const auto deployment = [](const std::string& replay) {
    return R"({"id":"d-8","sequence":90,"changes":[{"trigger":"a","snapshot":"s-4"}],"replay":)" +
           replay + "}";
  };
  api_.answers("/v1/commands/rollback", deployment(R"("waiting")"));
  api_.answers("/v1/deployments/d-8", deployment(R"("running")"));
  api_.answers("/v1/deployments/d-8", deployment(R"("done")"));
  api_.answers("/v1/deployments/d-8", deployment(R"("failed: History has lost 7")"));
  DeployOptions options;
  options.trigger = "a";
  const TokenFile token;
  options.token_file = token.path();
  const auto done = printed([&] { return rollback_command(http_, options); });
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("from sequence 90 on (d-8)"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("\ndone: "), std::string::npos) << done.out;
  const auto failed = printed([&] { return rollback_command(http_, options); });
  EXPECT_EQ(failed.code, 1);
  EXPECT_NE(failed.err.find("the replay failed: History has lost 7"), std::string::npos)
      << failed.err;
  EXPECT_NE(failed.err.find("--trigger a --from s-4 --into live"), std::string::npos) << failed.err;
}

TEST_F(Asking, AMessageWatchShowsEachMessageOnce) {
  api_.answers("/v1/messages?limit=1", R"({"items":[{"seq":7}],"next":7})");
  api_.answers("/v1/messages?after=7&limit=1000&name=a%2A", R"({"items":[{"seq":8}],"next":9})");
  api_.answers("/v1/messages?after=9&limit=1000&name=a%2A", R"({"items":[],"next":9})");
  MessageWatch watch(http_, "a*", false);
  bool passed_over = false;
  EXPECT_TRUE(watch.look(passed_over)->empty());
  EXPECT_EQ(watch.look(passed_over)->size(), 1u);
  EXPECT_TRUE(watch.look(passed_over)->empty());
  EXPECT_FALSE(passed_over);
}

TEST_F(Asking, ANotificationWatchShowsEachNotificationOnce) {
  const std::string target = "/v1/notifications?limit=1000&since=5";
  api_.answers(target, R"({"items":[{"id":"n-1"}],"next":null})");
  api_.answers(target, R"({"items":[{"id":"n-1"},{"id":"n-2"}],"next":null})");
  NotificationWatch watch(http_, time_from_us(5));
  EXPECT_EQ(watch.look()->size(), 1u);
  EXPECT_EQ(watch.look()->size(), 1u);
  EXPECT_TRUE(watch.look()->empty());
}

TEST_F(Asking, TailPrintsWhatComesAndEnds) {
  api_.answers("/v1/messages?limit=1", R"({"items":[],"next":7})");
  api_.answers(
      "/v1/messages?after=7&limit=1000",
      R"({"items":[{"type":"gauge","name":"a","value":1,"uuid":"u"},{"type":"gauge"}],"next":9})");
  Loop loop;
  TailOptions options;
  options.count = 1;
  const auto tail = printed([&] { return tail_command(http_, options, loop, now); });
  EXPECT_EQ(tail.code, 0);
  EXPECT_EQ(tail.out, "--:--:--.--- gauge a 1 on u\n");
}

TEST_F(Asking, TailEndsWhenTheSupervisorIsGone) {
  Loop loop;
  EXPECT_EQ(printed([&] { return tail_command(http_, {}, loop, now); }).code, 1);
}

}  // namespace
}  // namespace hastur
