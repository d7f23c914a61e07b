#include "supervisor/cli/render.h"
#include "core/json.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

Json json(std::string_view text) { return parse_json(text).value(); }

TEST(MessageLine, SaysWhoSaidWhatWhen) {
  EXPECT_EQ(message_line(json(R"({"type":"gauge","name":"a.b","value":1.5,"received_at":43205123000,
              "hostname":"web1","uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2","labels":{"pid":17,"app":"x"}})")),
            "12:00:05.123 gauge a.b 1.5 on web1 {app=x pid=17}");
  EXPECT_EQ(message_line(json(R"({"type":"gauge","name":"a","value":null,"received_at":0,
              "uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2","origin":{"trigger":"avg"}})")),
            "00:00:00.000 gauge a on 8e58af00 from avg");
  EXPECT_EQ(
      message_line(json(R"({"type":"event","name":"deploy","subject":"v\u001b2","uuid":"u"})")),
      "--:--:--.--- event deploy v?2 on u");
}

TEST(NotificationLine, SaysWhoWouldBeTold) {
  EXPECT_EQ(
      notification_line(json(R"({"kind":"pager_duty","key":"k","text":"too much","time":43205000000,
              "trigger":"load","status":"recorded"})")),
      "12:00:05.000 pager_duty k: too much (load, recorded)");
  EXPECT_EQ(notification_line(json(
                R"({"kind":"slack","key":null,"text":"x","trigger":"t","status":"recorded"})")),
            "--:--:--.--- slack: x (t, recorded)");
}

TEST(TriggerTable, ShowsRefusalsBelow) {
  const std::string text =
      trigger_table(json(R"([{"name":"a","status":"running","callbacks":1200,"errors":0,"lag":3,
      "state_bytes":12,"refused":null},{"name":"b/c","status":"refused",
      "refused":{"script":"b/c.lua","line":3,"text":"'end' expected"}}])"));
  EXPECT_EQ(text,
            "TRIGGER  STATUS   CALLS  ERRORS  BEHIND  STATE BYTES\n"
            "a        running  1.2k   0       3       12\n"
            "b/c      refused  0      0       0\n"
            "\n"
            "b/c: b/c.lua:3: 'end' expected\n");
  EXPECT_EQ(trigger_table(Json::array()).rfind("no trigger runs", 0), 0u);
}

TEST(TriggerTable, SaysWhatIsPinned) {
  EXPECT_EQ(trigger_table(json(R"([{"name":"a","status":"running","pinned":"it was worse"},
                                   {"name":"b","status":"running","pinned":null}])")),
            "TRIGGER  STATUS           CALLS  ERRORS  BEHIND  STATE BYTES\n"
            "a        running, pinned  0      0       0\n"
            "b        running          0      0       0\n");
}

TEST(TriggerPage, SaysByWhatItIsPinnedAndSinceWhen) {
  const std::string text =
      trigger_page(json(R"({"name":"a","status":"running","pinned":"it was worse"})"), nullptr,
                   json(R"({"trigger":"a","deployment":"d-5","why":"it was\nworse",
                            "since":1704067200000000})"));
  EXPECT_NE(text.find("  pinned           by d-5 at 2024-01-01T00:00:00Z: it was?worse\n"),
            std::string::npos)
      << text;
}

TEST(TriggerPage, ShowsTheState) {
  const std::string text = trigger_page(
      json(
          R"({"name":"a","status":"running","run":2,"last_error":{"script":"a.lua","line":7,"text":"x"},
      "state_bytes":9,"state_bytes_max":100})"),
      json(R"({"state":{"total":1},"sequence":5,"time":43205000000})"));
  EXPECT_NE(text.find("  last error       a.lua:7: x\n"), std::string::npos) << text;
  EXPECT_NE(text.find("state at 12:00:05.000, up to 5:\n  {\n    \"total\": 1\n  }\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(trigger_page(json(R"({"name":"a","status":"refused"})"), nullptr), "a  refused\n");
}

TEST(TriggerPage, ShowsWhatWasLeftOutIfAnythingWas) {
  const std::string text =
      trigger_page(json(R"({"name":"a","effects_cut":0,"helpers_dropped":12})"), nullptr);
  EXPECT_EQ(text.find("effects cut"), std::string::npos) << text;
  EXPECT_NE(text.find("  helpers dropped  12\n"), std::string::npos) << text;
}

TEST(TriggerPage, TheErrorOfAWholeFileHasNoLine) {
  const std::string text = trigger_page(
      json(R"({"name":"a","refused":{"script":"a.lua","line":0,"text":"it is empty"}})"), nullptr);
  EXPECT_NE(text.find("a.lua: it is empty\n"), std::string::npos) << text;
}

TEST(Metrics, AreReadAndAddedUp) {
  const auto metrics = parse_metrics(
      "# HELP a b\na_total 5\na_total{reason=\"x y\"} 2\na_total_more 100\nbroken\nhalf 1x\n\nlast "
      "1e3");
  EXPECT_EQ(metrics.at("a_total{reason=\"x y\"}"), 2);
  EXPECT_EQ(metric_sum(metrics, "a_total"), 7);
  EXPECT_EQ(metric_sum(metrics, "last"), 1000);
  EXPECT_EQ(metric_sum(metrics, "half"), 0);
}

TEST(StatusPage, ShowsTroublesAndTriggers) {
  const std::string text =
      status_page(json(R"({"status":"trouble","troubles":["no syndicator"]})"),
                  {{"hastur_received_total", 5}, {"hastur_refused_total{reason=\"x\"}", 2}},
                  json(R"([{"status":"running"},{"status":"failed"},{"status":"running"}])"));
  EXPECT_NE(text.find("trouble\n  no syndicator\n"), std::string::npos) << text;
  EXPECT_NE(text.find("refused          2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("triggers         3, 1 failed, 2 running\n"), std::string::npos) << text;
}

TEST(StatusPage, SaysWhatIsFollowedAndWhatIsWrongWithIt) {
  const auto page = [](const char* source) {
    return status_page(json(R"({"status":"ok"})"), {}, Json::array(), nullptr, json(source));
  };
  EXPECT_NE(page(R"({"kind":"directory","directory":"triggers"})")
                .find("follows          the folder triggers\n"),
            std::string::npos);
  EXPECT_NE(page(R"({"kind":"directory","directory":"triggers",
                     "trouble":{"text":"gone","since":0}})")
                .find("the folder triggers\n  since 00:00:00.000: gone\n"),
            std::string::npos);
  const std::string text = page(
      R"({"kind":"branch","repo":"/r.git","branch":"main","tip":"0123456789abcdef",
          "taken":"abcdefabcdef0123","refused":"why","trouble":{"text":"gone","since":0}})");
  EXPECT_NE(text.find("main of /r.git, at 0123456789\n  0123456789 is refused"), std::string::npos)
      << text;
  EXPECT_NE(text.find("abcdefabcd runs\n  since 00:00:00.000: gone\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace hastur
