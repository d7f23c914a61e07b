#include "supervisor/notify/transfers.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/json.h"
#include "supervisor/notify/hmac.h"
#include "tests/supervisor/notify/http_receiver.h"
#include "tests/supervisor/notify/notifier_rig.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

struct TransfersTest : testing::Test {
  TransfersTest() { std::ofstream(folder.file("key")) << "R0UT1NGKEY"; }
  std::string key() { return "_file = \"" + folder.file("key") + "\"\n"; }
  std::string hook(const std::string& more = "") {
    return "[notify.hook]\nkind = \"web_hook\"\nurl = \"" + receiver.url("/in") + "\"\n" + more;
  }
  std::string script(const std::string& text) {
    std::ofstream(folder.file("script")) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(folder.file("script"), std::filesystem::perms::owner_all);
    return "[notify.local]\nkind = \"command\"\ntimeout = \"2s\"\ncommand = [\"" +
           folder.file("script") + "\", \"a b\", \"$HOME;ls\"]\n";
  }
  std::string read(const std::string& name) {
    std::ifstream file(folder.file(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  TemporaryFolder folder;
  HttpReceiver receiver;
};

TEST_F(TransfersTest, APagerDutyEventArrives) {
  NotifierRig rig("[notify.oncall]\nkind = \"pager_duty\"\nrouting_key" + key() + "url = \"" +
                  receiver.url("/v2/enqueue") + "\"\n");
  rig.offer("oncall", page_payload);
  EXPECT_EQ(rig.outcome(), "sent: status 202");
  ASSERT_EQ(receiver.requests().size(), 1u);
  const auto request = receiver.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v2/enqueue");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(parse_json(request.body).value_or(Json())["routing_key"], "R0UT1NGKEY");
}

TEST_F(TransfersTest, ABadRequestIsNotRepeatedAndItsSecretNotTold) {
  receiver.answers({400, R"({"message":"Invalid routing key R0UT1NGKEY"})"});
  NotifierRig rig("[notify.oncall]\nkind = \"pager_duty\"\nrouting_key" + key() + "url = \"" +
                  receiver.url("/v2/enqueue") + "\"\n");
  rig.offer("oncall", page_payload);
  EXPECT_EQ(rig.outcome(), R"x(failed: status 400: {"message":"Invalid routing key (secret)"})x");
  EXPECT_EQ(receiver.requests().size(), 1u);
}

TEST_F(TransfersTest, WhatFailsIsRepeatedUnderItsIdUntilItArrives) {
  receiver.answers({500, "oops"});
  receiver.answers({429, "", "Retry-After: 1\r\n"});
  receiver.answers({202, "half an answer", "", true});
  NotifierRig rig(hook());
  const Micros start = rig.clock.monotonic();
  for (std::uint64_t id = 1; id <= 3; ++id) {
    rig.offer("hook",
              R"({"details":{},"key":null,"kind":"slack","options":{},"text":"x","to":null})", id);
  }
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(rig.outcome(id), "sent: status 202");
  EXPECT_GE(rig.clock.monotonic() - start, 1s);
  std::map<std::string, std::vector<std::string>> bodies;
  for (const auto& request : receiver.requests()) {
    bodies[request.headers.at("x-hastur-notification")].push_back(request.body);
  }
  ASSERT_EQ(bodies.size(), 3u);
  for (const auto& [id, all] : bodies) EXPECT_EQ(all, (std::vector{all[0], all[0]})) << id;
}

TEST_F(TransfersTest, AReceiverThatNeverAnswersDelaysNobody) {
  HttpReceiver dead;
  dead.always({.never = true});
  NotifierRig rig(hook() + "[notify.dead]\nkind = \"web_hook\"\ntimeout = \"300ms\"\nurl = \"" +
                  dead.url("/") + "\"\n");
  for (std::uint64_t id = 1; id <= 20; ++id) {
    rig.offer("dead",
              R"({"details":{},"key":null,"kind":"slack","options":{},"text":"x","to":null})", id);
  }
  rig.offer("hook", page_payload, 100);
  EXPECT_EQ(rig.outcome(100), "sent: status 202");
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("dead").attempts_failed >= 8; }));
  EXPECT_NE(rig.notifier->state("dead").last_trouble.find("imed out"), std::string::npos)
      << rig.notifier->state("dead").last_trouble;
  EXPECT_TRUE(rig.notifier->state("dead").trouble_since);
  EXPECT_EQ(rig.notifier->state("dead").waiting, 20u);
}

std::string mail_to(const HttpReceiver& server) {
  return "[notify.mail]\nkind = \"email\"\ntls = \"none\"\ntimeout = \"300ms\"\nfrom = "
         "\"h@example.com\"\nto = [\"a@example.com\"]\nserver = \"smtp://" +
         server.host() + "\"\n";
}

TEST_F(TransfersTest, AMailServerThatFallsSilentDelaysNobody) {
  HttpReceiver silent;
  silent.greet("220 silent\r\n");
  NotifierRig rig(hook() + mail_to(silent));
  rig.offer("mail", page_payload, 1);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("mail").attempts_failed >= 1; }));
  rig.offer("hook", page_payload, 2);
  EXPECT_EQ(rig.outcome(2), "sent: status 202");
}

TEST_F(TransfersTest, AMailServersGoodbyeIsNotWaitedFor) {
  HttpReceiver rude;
  // Its replies to the greeting, the sender, the recipient, the data and their end; none to QUIT.
  rude.greet("220 a\r\n250 b\r\n250 c\r\n250 d\r\n354 e\r\n250 taken\r\n");
  NotifierRig rig(mail_to(rude));
  const Micros start = rig.clock.monotonic();
  rig.offer("mail", page_payload, 1);
  EXPECT_EQ(rig.outcome(1), "sent: 250 taken");
  EXPECT_LT(rig.clock.monotonic() - start, 5s);
}

TEST_F(TransfersTest, NobodyListening) {
  std::string url;
  {
    HttpReceiver gone;
    url = gone.url("/");
  }
  NotifierRig rig("[notify.hook]\nkind = \"web_hook\"\nurl = \"" + url + "\"\n");
  rig.offer("hook", page_payload);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("hook").attempts_failed >= 2; }));
  EXPECT_TRUE(rig.settled.empty());
}

TEST_F(TransfersTest, ARedirectIsNotFollowed) {
  HttpReceiver elsewhere;
  receiver.answers({302, "", "Location: " + elsewhere.url("/secret") + "\r\n"});
  NotifierRig rig(hook());
  rig.offer("hook", page_payload);
  EXPECT_EQ(rig.outcome(), "failed: status 302 (redirects are not followed)");
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(TransfersTest, AnAllowedNameIsNotConnectedToAtAPrivateAddress) {
  const std::string port = std::to_string(receiver.port());
  const std::string call =
      R"({"details":{},"key":null,"kind":"web_hook","options":{"url":"http://localhost:)" + port +
      R"(/"},"text":"","to":null})";
  const std::string toml =
      "[notify.hook]\nkind = \"web_hook\"\nallow = [\"localhost:" + port + "\"]\n";
  {
    NotifierRig rig(toml);
    rig.offer("hook", call);
    EXPECT_EQ(rig.outcome().substr(0, 46), "failed: the host has an address of a private n");
    EXPECT_TRUE(receiver.requests().empty());
  }
  NotifierRig rig(toml + "allow_private = true\n");
  rig.offer("hook", call);
  EXPECT_EQ(rig.outcome(), "sent: status 202");
}

TEST_F(TransfersTest, TheSignatureIsOfTheBodyThatCame) {
  NotifierRig rig(hook("signing_key" + key()));
  rig.offer("hook", page_payload);
  rig.outcome();
  ASSERT_EQ(receiver.requests().size(), 1u);
  const auto request = receiver.requests()[0];
  EXPECT_EQ(request.headers.at("x-hastur-signature"),
            "sha256=" + hmac_sha256_hex(Secret("R0UT1NGKEY"), request.body));
}

TEST_F(TransfersTest, AProxyOfTheEnvironmentIsNotAsked) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  NotifierRig rig(hook());
  rig.offer("hook", page_payload);
  EXPECT_EQ(rig.outcome(), "sent: status 202");
  unsetenv("http_proxy");
}

TEST_F(TransfersTest, ATryAnswersWithWhatTheReceiverSaid) {
  receiver.answers({500, "not today"});
  NotifierRig rig(hook());
  rig.notifier->try_once("hook", notification_of(page_payload));
  ASSERT_TRUE(rig.until([&] { return rig.tried.has_value(); }));
  EXPECT_EQ(rig.tried->verdict, Answer::Verdict::again);
  EXPECT_EQ(rig.tried->text, "status 500: not today");
  EXPECT_EQ(rig.notifier->state("hook").attempts_failed, 0u);
}

TEST_F(TransfersTest, WhatCannotBeMadeIsRefused) {
  NotifierRig rig(hook());
  rig.offer(
      "hook",
      R"({"details":{},"key":null,"kind":"web_hook","options":{"url":"http://evil/"},"text":"","to":null})");
  EXPECT_EQ(rig.outcome(),
            "failed: the host evil is not one that [notify.hook] allows; add it to `allow`");
}

TEST_F(TransfersTest, EndsWhileAReceiverIsSilent) {
  receiver.always({.never = true});
  NotifierRig rig(hook() + script("exec /bin/sleep 100\n"));
  rig.offer("hook", page_payload);
  rig.offer("local", page_payload, 2);
  ASSERT_TRUE(rig.until([&] { return !receiver.requests().empty(); }));
  const Micros start = rig.clock.monotonic();
  rig.notifier.reset();
  EXPECT_LT(rig.clock.monotonic() - start, 2s);
}

TEST_F(TransfersTest, ACommandGetsTheNotificationAndNoShell) {
  setenv("HASTUR_TEST_SECRET", "pl4nted", 1);
  NotifierRig rig(script("cat > " + folder.file("in") + "\nprintf '%s|' \"$@\" > " +
                         folder.file("args") + "\nenv > " + folder.file("env") + "\necho done\n"));
  rig.offer("local", page_payload);
  EXPECT_EQ(rig.outcome(), "sent: exit code 0: done");
  EXPECT_EQ(parse_json(read("in")).value_or(Json())["text"], "load");
  EXPECT_EQ(read("args"), "a b|$HOME;ls|");
  EXPECT_EQ(read("env").find("pl4nted"), std::string::npos);
  EXPECT_NE(read("env").find("HASTUR_NOTIFICATION=n-0001"), std::string::npos);
}

TEST_F(TransfersTest, ACommandsExitCodeDecides) {
  NotifierRig rig(script("cat > /dev/null\necho no >&2\nexit 65\n"));
  rig.offer("local", page_payload);
  EXPECT_EQ(rig.outcome(), "failed: exit code 65: no");
  NotifierRig other(script("exit 1\n"));
  other.offer("local", page_payload);
  ASSERT_TRUE(other.until([&] { return other.notifier->state("local").attempts_failed > 0; }));
  EXPECT_EQ(other.notifier->state("local").last_trouble, "exit code 1");
}

TEST_F(TransfersTest, ACommandThatDoesNotEndIsKilledWithItsChildren) {
  NotifierRig rig(script("/bin/sleep 100 & echo $! > " + folder.file("child") + "\nwait\n"));
  rig.offer("local", page_payload);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("local").attempts_failed > 0; }));
  EXPECT_EQ(rig.notifier->state("local").last_trouble,
            "the command did not end in time and was killed");
  const int child = std::stoi(read("child"));
  const auto is_gone = [&] {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string number, name, state;
    return !(stat >> number >> name >> state) || state == "Z";
  };
  EXPECT_TRUE(rig.until(is_gone));
}

TEST_F(TransfersTest, ACommandThatIsNotThereIsTriedAgain) {
  NotifierRig rig("[notify.local]\nkind = \"command\"\ncommand = [\"/none/there\"]\n");
  rig.offer("local", page_payload);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("local").attempts_failed > 0; }));
  EXPECT_EQ(rig.notifier->state("local").last_trouble,
            "/none/there cannot be started: No such file or directory");
}

TEST_F(TransfersTest, AFileGetsALineForEach) {
  NotifierRig rig("[notify.log]\nkind = \"file\"\npath = \"" + folder.file("n.jsonl") + "\"\n");
  for (std::uint64_t id = 1; id <= 50; ++id) rig.offer("log", page_payload, id);
  EXPECT_EQ(rig.outcome(50), "sent: written");
  const std::string text = read("n.jsonl");
  EXPECT_EQ(std::ranges::count(text, '\n'), 50);
  EXPECT_EQ(parse_json(text.substr(0, text.find('\n'))).value_or(Json())["id"], "n-0001");
}

TEST_F(TransfersTest, AFileThatCannotBeWrittenIsTriedAgain) {
  NotifierRig rig(
      "[notify.log]\nkind = \"file\"\npath = \"/none/there\"\n[notify.full]\nkind = "
      "\"file\"\npath = \"/dev/full\"\n");
  rig.offer("log", page_payload, 1);
  rig.offer("full", page_payload, 2);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("log").attempts_failed > 0; }));
  EXPECT_EQ(rig.notifier->state("log").last_trouble, "/none/there: No such file or directory");
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("full").attempts_failed > 0; }));
  EXPECT_EQ(rig.notifier->state("full").last_trouble, "/dev/full: No space left on device");
}

}  // namespace
}  // namespace hastur
