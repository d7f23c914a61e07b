// Every rule in triggers/ loads, takes a message of every type without failing, and the rules made
// of helpers page for what they watch over. (What they do in detail is in their *.test.lua.)

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "core/json.h"
#include "tests/docs/every_message.h"

namespace hastur::testing {
namespace {

std::string text_of(const std::string& rule) {
  std::ifstream in(HASTUR_TRIGGERS "/" + rule + ".lua");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Rules, LoadAndTakeAMessageOfEveryType) {
  std::size_t rules = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HASTUR_TRIGGERS)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".lua") || name.ends_with(".test.lua")) continue;
    SCOPED_TRACE(name);
    TriggerOptions options;
    options.name = entry.path().stem();
    TestTrigger trigger(text_of(options.name), options);
    ASSERT_TRUE(trigger.is_loaded());
    const TriggerProgress progress = trigger.feed(every_message());
    EXPECT_FALSE(progress.stopped) << progress.stopped->error.error.text;
    EXPECT_TRUE(progress.errors.empty());
    ++rules;
  }
  EXPECT_GE(rules, 10u);
}

// What a rule says on a stream with these messages, so many times, so far apart; in them # is the
// number of the round. Derived messages by name, pages by key, mails by "mail".
std::set<std::string> said(const std::string& rule, const std::vector<std::string>& messages,
                           int times, int seconds_apart) {
  TriggerOptions options;
  options.name = rule;
  TestTrigger trigger(text_of(rule), options);
  Stream stream;
  stream.tick(0);
  int second = 0;
  for (int round = 0; round < times; ++round) {
    for (std::string message : messages) {
      if (const auto at = message.find('#'); at != std::string::npos)
        message.replace(at, 1, std::to_string(round));
      stream.message(second + 0.5, message);
    }
    for (int end = second + seconds_apart; second < end;) stream.tick(++second);
  }
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_FALSE(progress.stopped) << rule << ": " << progress.stopped->error.error.text;
  std::set<std::string> out;
  for (const Effect& effect : progress.effects) {
    const Json json = parse_json(effect.payload).value();
    if (effect.kind == EffectKind::message) out.insert(json["name"].get<std::string>());
    if (effect.kind == EffectKind::notification)
      out.insert(json["key"].is_null() ? "mail" : json["key"].get<std::string>());
  }
  return out;
}

TEST(Rules, SayWhatTheyAreThereFor) {
  using Said = std::set<std::string>;
  const std::string host(host_uuid);
  const auto gauge = [](const std::string& name, const std::string& value,
                        const std::string& labels = "{}") {
    return R"({"type":"gauge","name":")" + name + R"(","value":)" + value + R"(,"labels":)" +
           labels + "}";
  };
  const std::string api = R"({"service":"api"})";
  const std::string failing =
      R"({"type":"counter","name":"http.requests","value":60,"labels":{"service":"api","status":500}})";
  EXPECT_EQ(said("load_spike",
                 {gauge("ots.transcoding.load", "11", R"({"send_to":"load_tester"})")}, 7, 10),
            (Said{"load_spike/spike/" + host, "ots.transcoding.load.spikes"}));
  EXPECT_EQ(said("missing_heartbeat", {R"({"type":"hb_agent"})"}, 2, 15),
            Said{"missing_heartbeat/no_heartbeat/" + host});
  EXPECT_EQ(said("missing_heartbeat", {R"({"type":"hb_agent"})"}, 9, 5), Said{});
  EXPECT_EQ(said("error_rate", {failing}, 3, 10), Said{"error_rate/rate/api"});
  EXPECT_EQ(said("slow_requests", {gauge("http.request.seconds", "2", api)}, 100, 1),
            Said{"slow_requests/slow_requests/api"});
  EXPECT_EQ(said("slow_requests", {gauge("http.request.seconds", "2", api)}, 99, 1), Said{});
  EXPECT_EQ(said("average_load", {gauge("system.load.1m", "2")}, 13, 10),
            Said{"cluster.load.average"});
  EXPECT_EQ(
      said("flapping",
           {R"({"type":"mark","name":"service.state","value":"down","labels":{"service":"a"}})"}, 2,
           10),
      Said{"flapping/service/a@" + host});
  EXPECT_EQ(
      said("disk_full", {gauge("system.disk.used_percent", "#e1", R"({"mount":"/"})")}, 10, 1'800),
      Said{"disk_full/disk_full/" + host + ":/"});
  EXPECT_EQ(
      said("disk_full", {gauge("system.disk.used_percent", "97", R"({"mount":"/"})")}, 10, 1'800),
      Said{});
  const std::string error = R"({"type":"error","error":"boom","labels":{"service":"api"}})";
  EXPECT_EQ(said("deploy_errors",
                 {R"({"type":"mark","name":"deployed","value":"v7","labels":{"service":"api"}})",
                  error, error, error, error, error},
                 1, 10),
            Said{"deploy_errors/deployment/api"});
  EXPECT_EQ(said("deploy_errors", {error}, 9, 10), Said{});
  EXPECT_EQ(said("daily_summary", {error}, 1, 27'000), Said{"mail"});
  EXPECT_EQ(said("slo_burn", {failing}, 4, 10), Said{"slo_burn/burn/api"});
}

}  // namespace
}  // namespace hastur::testing
