#include "supervisor/notify/request.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/json.h"
#include "tests/supervisor/notify/channels.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

struct RequestTest : testing::Test {
  RequestTest() {
    std::ofstream(folder.file("key")) << "R0UT1NGKEY";
    std::ofstream(folder.file("slack")) << "https://hooks.slack.com/services/T0/B0/xyz";
    const std::string key = "_file = \"" + folder.file("key") + "\"\n";
    channels = channels_of(
        "[notify.oncall]\nkind = \"pager_duty\"\nrouting_key" + key +
        "[notify.mail]\nkind = \"email\"\nserver = \"smtp://mail:587\"\nfrom = \"Hastur "
        "<h@example.com>\"\n"
        "to = [\"ops@example.com\"]\n" +
        "[notify.bare]\nkind = \"email\"\nserver = \"smtp://mail:587\"\nfrom = "
        "\"h@example.com\"\n" +
        "[notify.hook]\nkind = \"web_hook\"\nallow = [\"*.example.com\", "
        "\"127.0.0.1:9000\"]\nsigning_key" +
        key + "authorization" + key +
        "[notify.own]\nkind = \"web_hook\"\nurl = \"http://10.0.0.1/x\"\n" +
        "[notify.chat]\nkind = \"slack\"\nurl_file = \"" + folder.file("slack") + "\"\n" +
        "[notify.am]\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:9093/\"\n" +
        "[notify.local]\nkind = \"command\"\ncommand = [\"/bin/page\", \"-x\"]\n" +
        "[notify.log]\nkind = \"file\"\npath = \"n.jsonl\"\n");
  }
  WebRequest http(const std::string& channel, const std::string& payload) {
    const auto request = request_of(channels.at(channel), payload);
    EXPECT_TRUE(request) << request.error().message;
    if (!request) return {};
    EXPECT_EQ(request->timeout, std::chrono::seconds{10});
    return std::get<WebRequest>(request->what);
  }
  Json body(const std::string& channel, const std::string& payload) {
    return parse_json(http(channel, payload).body.reveal()).value_or(Json());
  }
  MailRequest mail(const std::string& channel, const std::string& payload) {
    const auto request = request_of(channels.at(channel), payload);
    EXPECT_TRUE(request) << request.error().message;
    return request ? std::get<MailRequest>(request->what) : MailRequest{};
  }
  std::string refusal(const std::string& channel, const std::string& payload) {
    return refusal_of(channels.at(channel), payload);
  }
  static bool has_header(const WebRequest& request, const std::string& line) {
    return std::ranges::any_of(request.headers,
                               [&](const Secret& header) { return header.reveal() == line; });
  }
  TemporaryFolder folder;
  std::map<std::string, Channel> channels;
};

const std::string page =
    R"({"details":{"load":12.5},"key":"load/web1","kind":"pager_duty","options":{},"text":"load is 12.5","to":null})";

TEST_F(RequestTest, PagerDutyGetsItsEvent) {
  const WebRequest request = http("oncall", page);
  EXPECT_EQ(request.url.reveal(), "https://events.pagerduty.com/v2/enqueue");
  EXPECT_EQ(request.method, "POST");
  EXPECT_FALSE(request.public_only);
  EXPECT_TRUE(has_header(request, "Content-Type: application/json"));
  EXPECT_EQ(canonical_json(body("oncall", page)),
            R"({"client":"hastur","dedup_key":"load/web1","event_action":"trigger","payload":{)"
            R"("custom_details":{"load":12.5,"notification":"n-4f21","supervisor":"c0ffee",)"
            R"("trigger":"ots/load","version":"0123456789abcdef0123456789abcdef"},)"
            R"("severity":"critical","source":"ots/load","summary":"load is 12.5",)"
            R"("timestamp":"2024-01-01T00:00:00Z"},"routing_key":"R0UT1NGKEY"})");
}

TEST_F(RequestTest, PagerDutyIsToldOfTheEndWithTheKeyAlone) {
  const Json resolve = body(
      "oncall",
      R"({"details":{},"key":"k","kind":"pager_duty","options":{"action":"resolve"},"text":"over","to":null})");
  EXPECT_EQ(canonical_json(resolve),
            R"({"dedup_key":"k","event_action":"resolve","routing_key":"R0UT1NGKEY"})");
  EXPECT_EQ(
      refusal(
          "oncall",
          R"({"details":{},"key":null,"kind":"slack","options":{"action":"resolve"},"text":"x","to":null})"),
      "PagerDuty cannot resolve what has no key");
}

TEST_F(RequestTest, PagerDutysBoundsAreKept) {
  const std::string key(300, 'k');
  const auto with = [](const std::string& incident, const std::string& text) {
    return R"({"details":{},"key":")" + incident +
           R"(","kind":"pager_duty","options":{},"text":")" + text + R"(","to":null})";
  };
  std::string umlauts;
  for (int i = 0; i < 2000; ++i) umlauts += "ü";
  const Json event = body("oncall", with(key, umlauts));
  const std::string dedup = event["dedup_key"];
  EXPECT_EQ(dedup.size(), 255u);
  EXPECT_EQ(dedup.substr(0, 238), key.substr(0, 238));
  EXPECT_NE(dedup, body("oncall", with(key + "2", umlauts))["dedup_key"]);
  const std::string summary = event["payload"]["summary"];
  EXPECT_EQ(summary.size(), 1023 * 2 + std::string("…").size());
  EXPECT_EQ(std::string(body("oncall", with(umlauts, "x"))["dedup_key"]).size(), 255u);
  EXPECT_EQ(body("oncall", with(std::string(255, 'k'), "x"))["dedup_key"], std::string(255, 'k'));
  EXPECT_EQ(body("oncall", with("k", std::string(1024, 'x')))["payload"]["summary"],
            std::string(1024, 'x'));
}

TEST_F(RequestTest, DetailsThatBearOurNamesStandBelow) {
  const Json event = body(
      "oncall",
      R"({"details":{"trigger":"mine"},"key":"k","kind":"pager_duty","options":{"severity":"info"},"text":"x","to":null})");
  EXPECT_EQ(event["payload"]["custom_details"]["details"]["trigger"], "mine");
  EXPECT_EQ(event["payload"]["custom_details"]["trigger"], "ots/load");
  EXPECT_EQ(event["payload"]["severity"], "info");
}

std::string hook(const std::string& url, const std::string& options = "") {
  return R"({"details":{"a":1},"key":null,"kind":"web_hook","options":{"url":")" + url + "\"" +
         options + R"(},"text":"","to":null})";
}

TEST_F(RequestTest, AWebHookIsSignedOverItsBody) {
  const WebRequest request = http("hook", hook("https://a.example.com/x"));
  EXPECT_EQ(request.url.reveal(), "https://a.example.com/x");
  EXPECT_TRUE(request.public_only);
  EXPECT_TRUE(has_header(request, "X-Hastur-Notification: n-4f21"));
  EXPECT_TRUE(has_header(request, "Authorization: R0UT1NGKEY"));
  const Json sent = parse_json(request.body.reveal()).value_or(Json());
  EXPECT_EQ(sent["id"], "n-4f21");
  EXPECT_EQ(sent["trigger"], "ots/load");
  EXPECT_EQ(sent["sequence"], 42);
  EXPECT_EQ(sent["details"]["a"], 1);
  // printf BODY | openssl dgst -sha256 -hmac R0UT1NGKEY
  const WebRequest fixed = http("hook", hook("https://a.example.com/x", R"(,"body":"hello")"));
  EXPECT_EQ(fixed.body.reveal(), "hello");
  EXPECT_TRUE(
      has_header(fixed,
                 "X-Hastur-Signature: "
                 "sha256=3c7549d1fdbb2740e658cffe48116b0dedf4de6ebf08dd66698d40e58d5242f7"));
}

TEST_F(RequestTest, AWebHookHasTheCallsMethodHeadersAndBody) {
  const WebRequest request = http(
      "hook",
      hook("http://127.0.0.1:9000/",
           R"(,"method":"PUT","headers":{"X-A":"b","Content-Type":"text/plain"},"body":{"z":1})"));
  EXPECT_EQ(request.method, "PUT");
  // The operator named this very address.
  EXPECT_FALSE(request.public_only);
  EXPECT_TRUE(has_header(request, "X-A: b"));
  EXPECT_TRUE(has_header(request, "Content-Type: text/plain"));
  EXPECT_FALSE(has_header(request, "Content-Type: application/json"));
  EXPECT_EQ(request.body.reveal(), R"({"z":1})");
  EXPECT_EQ(
      http("own", R"({"details":{},"key":null,"kind":"slack","options":{},"text":"","to":"own"})")
          .url.reveal(),
      "http://10.0.0.1/x");
}

TEST_F(RequestTest, AWebHookMayNotGoElsewhere) {
  EXPECT_EQ(refusal("hook", hook("https://evil.org/")),
            "the host evil.org is not one that [notify.hook] allows; add it to `allow`");
  EXPECT_NE(refusal("hook", hook("http://127.0.0.1:9001/")), "");
  EXPECT_NE(refusal("hook", hook("http://x:y@a.example.com/")), "");
  EXPECT_NE(refusal("own", hook("http://10.0.0.1/other")), "");
  EXPECT_NE(refusal("hook",
                    R"({"details":{},"key":null,"kind":"slack","options":{},"text":"","to":null})"),
            "");
}

TEST_F(RequestTest, AWebHooksHeadersCannotBreakOut) {
  for (const char* headers :
       {R"({"X-A":"b\r\nX-B: c"})", R"({"X-A\r\nX-B":"c"})", R"({"Host":"evil"})",
        R"({"content-length":"1"})", R"({"Authorization":"x"})", R"({"cookie":"x"})",
        R"({"X-Hastur-Signature":"x"})", R"({"X A":"x"})", R"({"":"x"})", R"({"X":5})", R"([])",
        R"("x")"}) {
    EXPECT_NE(
        refusal("hook", hook("https://a.example.com/", std::string(",\"headers\":") + headers)), "")
        << headers;
  }
  EXPECT_NE(refusal("hook", hook("https://a.example.com/", R"(,"method":"BREW")")), "");
  EXPECT_NE(refusal("hook", hook("https://a.example.com/", R"(,"method":5)")), "");
}

TEST_F(RequestTest, SlackGetsTextDetailsAndWhatIsItsOwn) {
  const WebRequest request = http(
      "chat",
      R"({"details":{"a":1},"key":"k","kind":"slack","options":{"action":"resolve","username":"h"},"text":"disk","to":null})");
  EXPECT_EQ(request.url.reveal(), "https://hooks.slack.com/services/T0/B0/xyz");
  const Json sent = parse_json(request.body.reveal()).value_or(Json());
  EXPECT_EQ(sent["text"], "Resolved: disk");
  EXPECT_EQ(sent["username"], "h");
  EXPECT_FALSE(sent.contains("action"));
  EXPECT_EQ(sent["attachments"][0]["footer"], "ots/load · n-4f21");
  EXPECT_EQ(sent["attachments"][0]["color"], "good");
}

const std::string alert =
    R"({"details":{"annotations":{"summary":"full"},"labels":{"alertname":"disk","host":"a"}},)"
    R"("key":"{alertname=\"disk\",host=\"a\"}","kind":"alertmanager","options":{},"text":"full","to":null})";

TEST_F(RequestTest, AnAlertFiresUntilItIsNotRepeated) {
  EXPECT_EQ(http("am", alert).url.reveal(), "http://127.0.0.1:9093/api/v2/alerts");
  const Json sent = body("am", alert);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(canonical_json(sent[0]["labels"]), R"({"alertname":"disk","host":"a"})");
  EXPECT_EQ(sent[0]["annotations"]["summary"], "full");
  EXPECT_EQ(sent[0]["annotations"]["hastur_notification"], "n-4f21");
  EXPECT_EQ(sent[0]["startsAt"], "2024-01-01T00:00:00Z");
  EXPECT_EQ(sent[0]["endsAt"], "2024-01-01T00:04:07Z");
  const Json over = body(
      "am",
      R"({"details":{"annotations":{},"labels":{"a":"b"}},"key":"{a=\"b\"}","kind":"alertmanager","options":{"action":"resolve"},"text":"","to":null})");
  EXPECT_EQ(over[0]["endsAt"], "2024-01-01T00:00:07Z");
  EXPECT_FALSE(over[0].contains("startsAt"));
  const auto again = make_resend(channels.at("am"),
                                 std::vector{notification_of(alert, 1), notification_of(alert, 2)},
                                 {"c0ffee", test_time});
  ASSERT_TRUE(again);
  EXPECT_EQ(parse_json(std::get<WebRequest>(again->what).body.reveal()).value_or(Json()).size(),
            2u);
}

TEST_F(RequestTest, AnAlertmanagerTakesOtherCallsToo) {
  const Json sent = body("am", page);
  EXPECT_EQ(canonical_json(sent[0]["labels"]), R"({"alertname":"ots/load","key":"load/web1"})");
}

TEST_F(RequestTest, AMailGoesToAllAndShowsNotAll) {
  const MailRequest request = mail(
      "mail",
      R"({"details":{"body":"Zeile 1\nZeile 2 = ü"},"key":"k","kind":"send_email",)"
      R"("options":{"bcc":"c@example.com","cc":["Ünal <b@example.com>"]},"text":"Größe","to":["a@example.com"]})");
  EXPECT_EQ(request.from, "h@example.com");
  EXPECT_EQ(request.recipients,
            (std::vector<std::string>{"a@example.com", "b@example.com", "c@example.com"}));
  const auto has = [&](const std::string& part) {
    EXPECT_NE(request.text.find(part), std::string::npos) << part << "\nin\n" << request.text;
  };
  has("From: \"Hastur\" <h@example.com>\r\n");
  has("To: a@example.com\r\n");
  has("Cc: =?UTF-8?B?w5xuYWw=?= <b@example.com>\r\n");
  has("Subject: =?UTF-8?B?R3LDtsOfZQ==?=\r\n");
  has("Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n");
  has("Message-ID: <n-4f21.c0ffee@example.com>\r\n");
  has("References: <i-");
  has("X-Hastur-Trigger: ots/load\r\n");
  has("\r\n\r\nZeile 1\r\nZeile 2 =3D =C3=BC\r\n");
  EXPECT_EQ(request.text.find("c@example.com"), request.text.rfind("c@example.com"));
  EXPECT_EQ(request.text.find("Bcc"), std::string::npos);
}

TEST_F(RequestTest, AMailsHeadersCannotBreakOut) {
  const auto with = [&](const std::string& subject, const std::string& to,
                        const std::string& options) {
    return refusal("mail", R"({"details":{"body":""},"key":null,"kind":"send_email","options":)" +
                               options + R"(,"text":")" + subject + R"(","to":[")" + to + R"("]})");
  };
  EXPECT_EQ(with("x", "a@example.com", "{}"), "");
  EXPECT_EQ(
      with(R"(x\r\nBcc: evil@example.com)", "a@example.com", "{}"),
      "the mail's Subject holds a line break or another control character; a header field is one "
      "line");
  EXPECT_NE(with(R"(x\n)", "a@example.com", "{}"), "");
  EXPECT_NE(with("x", R"(a@example.com\r\nBcc: b@example.com)", "{}"), "");
  EXPECT_NE(with("x", "a@example.com", R"({"cc":"N\nX: y <b@example.com>"})"), "");
  EXPECT_NE(with("x", "a@example.com, b@example.com", "{}"), "");
  EXPECT_NE(with("x", "nobody", "{}"), "");
  EXPECT_NE(with("x", "ü@example.com", "{}"), "");
  EXPECT_NE(with("x", "a@example.com", R"({"bcc":[5]})"), "");
}

TEST_F(RequestTest, AMailOfAnotherCallSaysWhatItIsAbout) {
  const MailRequest request = mail("mail", page);
  EXPECT_EQ(request.recipients, std::vector<std::string>{"ops@example.com"});
  EXPECT_NE(request.text.find("Subject: load is 12.5\r\n"), std::string::npos);
  EXPECT_NE(request.text.find("key: load/web1"), std::string::npos);
  EXPECT_NE(refusal("bare", page).find("[notify.bare] has no `to`"), std::string::npos);
}

TEST_F(RequestTest, LocalReceiversGetAll) {
  const auto local = request_of(channels.at("local"), page);
  ASSERT_TRUE(local);
  const auto& command = std::get<CommandRequest>(local->what);
  EXPECT_EQ(command.command, (std::vector<std::string>{"/bin/page", "-x"}));
  EXPECT_EQ(command.id, "n-4f21");
  EXPECT_EQ(parse_json(command.input).value_or(Json())["key"], "load/web1");
  const auto file = request_of(channels.at("log"), page);
  ASSERT_TRUE(file);
  const auto& line = std::get<FileRequest>(file->what).line;
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_TRUE(line.ends_with('\n'));
}

// Payloads come from a worker, which may be anybody.
TEST_F(RequestTest, OddPayloadsAreRefusedOrSentAndNeverMore) {
  for (
      const char* payload :
      {"", "5", "{}", "[]", R"({"kind":5})", R"({"kind":"slack"})",
       R"({"details":5,"key":{},"kind":"send_email","options":[],"text":7,"to":{}})",
       R"({"details":[1],"key":"k","kind":"alertmanager","options":{"action":5,"cc":{"a":5},"headers":5,"url":5},"text":"t","to":[5]})",
       R"({"details":{"labels":5,"annotations":[]},"key":"k","kind":"alertmanager","options":null,"text":"","to":null})",
       R"({"details":{"body":5},"key":"k","kind":"send_email","options":{"cc":5,"bcc":null},"text":"","to":["a@b"]})"}) {
    for (const auto& [name, channel] : channels) {
      const auto request = request_of(channel, payload);
      EXPECT_TRUE(request || !request.error().message.empty());
    }
  }
}

TEST(Answer, SaysWhetherTryingAgainMakesSense) {
  using enum Answer::Verdict;
  for (const auto& [status, verdict] : {std::pair{200, arrived},
                                        {202, arrived},
                                        {204, arrived},
                                        {301, refused},
                                        {302, refused},
                                        {400, refused},
                                        {401, refused},
                                        {404, refused},
                                        {410, refused},
                                        {408, again},
                                        {429, again},
                                        {500, again},
                                        {503, again}}) {
    EXPECT_EQ(judge_http(status, "", {}).verdict, verdict) << status;
  }
  EXPECT_EQ(judge_http(429, "slow\r\n\x01 down\n", std::chrono::seconds{7}).text,
            "status 429: slow down");
  EXPECT_EQ(judge_http(429, "", std::chrono::seconds{7}).retry_after, std::chrono::seconds{7});
  EXPECT_LE(judge_http(400, std::string(100'000, 'x'), {}).text.size(), 320u);
}

TEST(ShortId, IsReadBack) {
  for (const std::uint64_t id : {0ull, 1ull, 0x4f21ull, 0x12345ull, ~0ull})
    EXPECT_EQ(id_from_short(short_id(id)), id);
  EXPECT_EQ(short_id(0x4f21), "n-4f21");
  EXPECT_EQ(short_id(7), "n-0007");
  for (const char* text :
       {"", "n-", "4f21", "n-4f2g", "n--4f21", "n-4f21 ", "N-4f21", "n-12345678901234567"})
    EXPECT_FALSE(id_from_short(text)) << text;
}

MailRequest mail_to_two() {
  MailRequest request;
  request.recipients = {"a@example.com", "b@example.com"};
  return request;
}

TEST(JudgeMail, AServerThatRefusesOneOfSeveralForNowWorks) {
  MailRequest request = mail_to_two();
  const Answer first = judge_mail(request, {{"250 ok", "451 greylisted"}, "250 taken", "", true});
  ASSERT_TRUE(first.part);
  EXPECT_EQ(first.verdict, Answer::Verdict::again);
  EXPECT_TRUE(first.part->works);
  // The next attempt is for that one alone, and it is still early.
  request.progress = read_mail_progress(first.part->progress);
  const Answer second = judge_mail(request, {{"451 greylisted"}, "", "RCPT failed", false});
  ASSERT_TRUE(second.part);
  EXPECT_EQ(second.verdict, Answer::Verdict::again);
  EXPECT_TRUE(second.part->reached);
  EXPECT_TRUE(second.part->works);
}

TEST(JudgeMail, AServerThatTakesNoMailDoesNotWorkWhoeverHasIt) {
  MailRequest request = mail_to_two();
  request.progress.have = {"a@example.com"};
  for (const MailOutcome& outcome : {MailOutcome{{}, "", "connection refused", false},
                                     MailOutcome{{"250 ok"}, "452 disk full", "", false}}) {
    const Answer answer = judge_mail(request, outcome);
    ASSERT_TRUE(answer.part);
    EXPECT_EQ(answer.verdict, Answer::Verdict::again);
    EXPECT_FALSE(answer.part->works);
  }
  // Nobody has it: nothing says that this server takes anything.
  const Answer none = judge_mail(mail_to_two(), {{"451 later", "451 later"}, "", "RCPT", false});
  EXPECT_FALSE(none.part && none.part->works);
}

}  // namespace
}  // namespace hastur
