// What is sent is taken by the servers that people use: Debian's Alertmanager and aiosmtpd.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/json.h"
#include "tests/supervisor/notify/notifier_rig.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

constexpr const char* alertmanager_program = "/usr/bin/prometheus-alertmanager";
constexpr const char* amtool_program = "/usr/bin/amtool";
constexpr const char* python_program = "/usr/bin/python3";
constexpr const char* openssl_program = "/usr/bin/openssl";

#define NEEDS(path, package)                                                                   \
  if (!std::filesystem::exists(path)) {                                                        \
    GTEST_SKIP() << "SKIPPED: " << path << " is not there; install the package " << (package); \
  }

struct AlertmanagerTest : testing::Test {
  void SetUp() override {
    NEEDS(alertmanager_program, "prometheus-alertmanager");
    NEEDS(amtool_program, "prometheus-alertmanager");
    std::ofstream(folder.file("am.yml")) << "route: {receiver: none}\nreceivers: [{name: none}]\n";
    server.emplace(std::vector<std::string>{
        alertmanager_program, "--config.file=" + folder.file("am.yml"),
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=", "--storage.path=" + folder.file("data")});
    address = server->says("msg=\"Listening on\" address=", "\n");
    ASSERT_NE(address, "") << server->text();
  }
  Json alerts() {
    StartedProgram amtool(
        {amtool_program, "--alertmanager.url=http://" + address, "alert", "query", "-o", "json"});
    amtool.end();
    return parse_json(amtool.text()).value_or(Json(amtool.text()));
  }
  TemporaryFolder folder;
  std::optional<StartedProgram> server;
  std::string address;
};

std::string alert(const std::string& host, const std::string& options = "{}") {
  return R"({"details":{"annotations":{"summary":"disk of )" + host +
         R"( is full"},"labels":{"alertname":"disk","host":")" + host +
         R"("}},"key":"{alertname=\"disk\",host=\")" + host +
         R"(\"}","kind":"alertmanager","options":)" + options + R"(,"text":"full","to":null})";
}

TEST_F(AlertmanagerTest, ShowsWhatFiresUntilItIsResolved) {
  NotifierRig rig("[notify.am]\nkind = \"alertmanager\"\nurl = \"http://" + address +
                  "\"\nresend_every = \"1s\"\n");
  rig.offer("am", alert("web1"), 1);
  rig.offer("am", alert("web2"), 2);
  EXPECT_EQ(rig.outcome(1), "sent: status 200");
  EXPECT_EQ(rig.outcome(2), "sent: status 200");
  Json shown = alerts();
  ASSERT_EQ(shown.size(), 2u) << shown.dump();
  EXPECT_EQ(shown[0]["labels"]["alertname"], "disk");
  EXPECT_EQ(shown[0]["annotations"]["hastur_trigger"], "ots/load");
  EXPECT_EQ(shown[0]["status"]["state"], "active");

  // Alone it would end after four times a second: it is sent again, each time with a later end.
  const std::string first_end = shown[0]["endsAt"];
  ASSERT_TRUE(rig.until([&] {
    const Json now = alerts();
    return now.size() == 2 && now[0]["endsAt"].get<std::string>() > first_end;
  }));

  rig.offer("am", alert("web1", R"({"action":"resolve"})"), 3);
  EXPECT_EQ(rig.outcome(3), "sent: status 200");
  shown = alerts();
  ASSERT_EQ(shown.size(), 1u) << shown.dump();
  EXPECT_EQ(shown[0]["labels"]["host"], "web2");
}

TEST_F(AlertmanagerTest, RefusesWhatIsNoAlert) {
  NotifierRig rig("[notify.am]\nkind = \"alertmanager\"\nurl = \"http://" + address + "\"\n");
  rig.offer(
      "am",
      R"({"details":{"annotations":{},"labels":{"not a name":"x"}},"key":"x","kind":"alertmanager","options":{},"text":"","to":null})");
  EXPECT_EQ(rig.outcome().substr(0, 18), "failed: status 400");
}

TEST_F(AlertmanagerTest, TakesAPageToo) {
  NotifierRig rig("[notify.am]\nkind = \"alertmanager\"\nurl = \"http://" + address + "\"\n");
  rig.offer("am", page_payload);
  EXPECT_EQ(rig.outcome(), "sent: status 200");
  EXPECT_EQ(alerts()[0]["labels"]["key"], "k");
}

struct MailTest : testing::Test {
  void SetUp() override {
    NEEDS(python_program, "python3");
    StartedProgram module({python_program, "-c", "import aiosmtpd"});
    if (module.end() != 0) GTEST_SKIP() << "SKIPPED: install the package python3-aiosmtpd";
  }
  void start(std::vector<std::string> more = {}) {
    std::vector<std::string> command{python_program, "-B", HASTUR_MAIL_RECEIVER};
    command.insert(command.end(), more.begin(), more.end());
    server.emplace(command);
    port = server->says("port: ", "\n");
    ASSERT_NE(port, "") << server->text();
  }
  // The next mail that came.
  Json mail() {
    const std::string line = server->says("mail " + std::to_string(++mails) + ": ", "\n");
    return parse_json(line).value_or(Json(server->text()));
  }
  static std::string call(const std::string& subject, const std::string& to,
                          const std::string& options = "{}") {
    return R"({"details":{"body":"Größe: 5\n.\nEnde"},"key":null,"kind":"send_email","options":)" +
           options + R"(,"text":")" + subject + R"(","to":[)" + to + "]}";
  }
  std::string plain() {
    return "[notify.mail]\nkind = \"email\"\ntls = \"none\"\nfrom = \"Hastur "
           "<h@example.com>\"\nserver = "
           "\"smtp://127.0.0.1:" +
           port + "\"\n";
  }
  TemporaryFolder folder;
  std::optional<StartedProgram> server;
  std::string port;
  int mails = 0;
};

TEST_F(MailTest, ArrivesWithAllRecipients) {
  start();
  NotifierRig rig(plain());
  rig.offer("mail",
            call("Größe", R"("a@example.com","b@example.com")",
                 R"({"cc":"c@example.com","bcc":["d@example.com"]})"),
            0x4f21);
  EXPECT_EQ(rig.outcome(0x4f21).substr(0, 14), "sent: 250 take");
  const Json got = mail();
  EXPECT_EQ(got["from"], "h@example.com");
  EXPECT_EQ(canonical_json(got["to"]),
            R"(["a@example.com","b@example.com","c@example.com","d@example.com"])");
  const std::string text = got["text"];
  EXPECT_NE(text.find("Subject: =?UTF-8?B?R3LDtsOfZQ==?="), std::string::npos) << text;
  EXPECT_NE(text.find("Message-ID: <n-4f21.c0ffee@example.com>"), std::string::npos);
  EXPECT_NE(text.find("\r\n.\r\nEnde"), std::string::npos) << text;
  EXPECT_EQ(text.find("d@example.com"), std::string::npos);
}

TEST_F(MailTest, OneWrongAddressDoesNotKeepItFromTheOthers) {
  start();
  NotifierRig rig(plain());
  rig.offer("mail", call("x", R"("nobody@example.com","b@example.com")"));
  EXPECT_EQ(rig.outcome(),
            "sent: 1 of 2 recipients have it; refused: nobody@example.com: 550 5.1.1 no such user");
  EXPECT_EQ(
      rig.settled.at(1).progress,
      R"({"have":["b@example.com"],"refused":{"nobody@example.com":"550 5.1.1 no such user"}})");
  EXPECT_EQ(canonical_json(mail()["to"]), R"(["b@example.com"])");
}

TEST_F(MailTest, OnlyThoseWhoWereRefusedForNowGetItAgain) {
  start();
  NotifierRig rig(plain());
  // "once" is refused for now the first time that it is asked about.
  rig.offer("mail", call("x", R"("once@example.com","b@example.com","nobody@example.com")"));
  ASSERT_TRUE(rig.until([&] { return rig.progress.contains(1); }));
  EXPECT_EQ(rig.progress.at(1).text,
            "1 of 3 recipients have it; refused for now: once@example.com: 451 4.7.1 greylisted; "
            "refused: nobody@example.com: 550 5.1.1 no such user");
  EXPECT_TRUE(rig.settled.empty());
  const Json first = mail();
  EXPECT_EQ(canonical_json(first["to"]), R"(["b@example.com"])");
  EXPECT_EQ(rig.outcome(),
            "sent: 2 of 3 recipients have it; refused: nobody@example.com: 550 5.1.1 no such user");
  const Json second = mail();
  EXPECT_EQ(canonical_json(second["to"]), R"(["once@example.com"])") << "nobody gets it twice";
  EXPECT_EQ(first["text"], second["text"]) << "the same mail, under the same Message-ID";
}

TEST_F(MailTest, AnotherProcessGoesOnWithThoseWhoAreLeft) {
  start();
  NotifierRig rig(plain());
  OutgoingNotification half = notification_of(call("x", R"("a@example.com","b@example.com")"), 1);
  half.time = rig.clock.now();
  half.expires_at = rig.clock.now() + std::chrono::hours{1};
  half.progress = R"({"have":["a@example.com"],"refused":{}})";
  half.reached = true;
  ASSERT_TRUE(rig.notifier->offer("mail", half));
  EXPECT_EQ(rig.outcome().substr(0, 14), "sent: 250 take");
  EXPECT_EQ(canonical_json(mail()["to"]), R"(["b@example.com"])");
}

TEST_F(MailTest, OneForNowAndOneForGoodIsNotRefusedAsAWhole) {
  start();
  NotifierRig rig(plain());
  rig.offer("mail", call("x", R"("once@example.com","nobody@example.com")"));
  EXPECT_EQ(rig.outcome(),
            "sent: 1 of 2 recipients have it; refused: nobody@example.com: 550 5.1.1 no such user");
  EXPECT_EQ(canonical_json(mail()["to"]), R"(["once@example.com"])");
}

TEST_F(MailTest, IsRefusedForGoodOrForNow) {
  start();
  NotifierRig rig(plain());
  rig.offer("mail", call("x", R"("nobody@example.com")"), 1);
  EXPECT_NE(rig.outcome(1).find("failed: "), std::string::npos);
  EXPECT_NE(rig.outcome(1).find("550"), std::string::npos) << rig.outcome(1);
  rig.offer("mail", call("x", R"("later@example.com")"), 2);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("mail").attempts_failed >= 1; }));
  rig.offer("mail", call("busy", R"("b@example.com")"), 3);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("mail").attempts_failed >= 3; }));
  EXPECT_EQ(rig.settled.size(), 1u);
}

TEST_F(MailTest, LogsInOverTlsAndTellsNoPassword) {
  NEEDS(openssl_program, "openssl");
  StartedProgram made({openssl_program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                       "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                       "-keyout", folder.file("server.key"), "-out", folder.file("server.crt")});
  ASSERT_EQ(made.end(), 0) << made.text();
  start({folder.file("server.crt"), folder.file("server.key")});
  std::ofstream(folder.file("good")) << "l3tm3in\n";
  std::ofstream(folder.file("bad")) << "wr0ngpass\n";
  const auto config = [&](const std::string& name, const std::string& password, bool trusted) {
    return "[notify." + name +
           "]\nkind = \"email\"\nfrom = \"h@example.com\"\nuser = \"hastur\"\npassword_file = \"" +
           folder.file(password) + "\"\nserver = \"smtp://127.0.0.1:" + port + "\"\n" +
           (trusted ? "ca_file = \"" + folder.file("server.crt") + "\"\n" : "");
  };
  NotifierRig rig(config("good", "good", true) + config("bad", "bad", true) +
                  config("untrusted", "good", false));
  rig.offer("good", call("x", R"("b@example.com")"), 1);
  EXPECT_EQ(rig.outcome(1), "sent: 250 taken");
  EXPECT_EQ(mail()["user"], "hastur");
  rig.offer("bad", call("x", R"("b@example.com")"), 2);
  EXPECT_EQ(rig.outcome(2).substr(0, 8), "failed: ");
  EXPECT_NE(rig.outcome(2).find("535"), std::string::npos) << rig.outcome(2);
  EXPECT_EQ(rig.outcome(2).find("wr0ngpass"), std::string::npos);
  rig.offer("untrusted", call("x", R"("b@example.com")"), 3);
  ASSERT_TRUE(rig.until([&] { return rig.notifier->state("untrusted").attempts_failed >= 1; }));
  EXPECT_NE(rig.notifier->state("untrusted").last_trouble.find("certificate"), std::string::npos)
      << rig.notifier->state("untrusted").last_trouble;
}

}  // namespace
}  // namespace hastur
