// Replays of what was exported from a live run in which people and the platform decided.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "core/json.h"
#include "tests/integration/load.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/waiting.h"
#include "tests/support/datagram_sender.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

// What it does depends on the number of each input, by math.random; a call raises, and another one
// never comes back.
constexpr const char* fateful_script = R"(
local ctx = hastur.trigger{ state = { seen = 0, sum = 0 } }

ctx:gauges({ name = "it.load" }, function(msg)
  local state = ctx.state
  state.seen = state.seen + 1
  state.sum = state.sum + math.random(1000)
  if state.seen % 20 == 0 then
    pager_duty("seen-" .. state.seen % 3, "seen " .. state.seen, { sum = state.sum, at = hastur.now() })
  end
end)

ctx:marks({ name = "fate.raise" }, function(msg)
  ctx.state.sum = 0
  error("this one fails")
end)

ctx:marks({ name = "fate.spin" }, function(msg)
  local function spin(...)
    while true do local n = select("#", ...) end
  end
  local function grow(count, ...)
    if count == 0 then return spin(...) end
    return grow(count - 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...)
  end
  grow(700)
end)

ctx:every("second", function(tick) hastur.gauge("fate.sum", ctx.state.sum) end)
)";

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class RecordedReplay : public testing::Test {
 protected:
  void send(const std::string& message, std::uint64_t times = 1) {
    for (std::uint64_t i = 0; i < times; ++i) ASSERT_TRUE(sender_->send(message));
    sent_ += times;
  }
  void wait_for_all_sent() {
    ASSERT_TRUE(
        wait_until([&] { return platform_.metric("hastur_received_total").value_or(0) >= sent_; },
                   std::chrono::seconds{60}));
  }
  // The stored state is of all that was sent.
  void settle() {
    wait_for_all_sent();
    ASSERT_TRUE(platform_.settle("fateful"));
  }
  // The file, with what `change` makes of each line; nothing leaves it out.
  template <class Change>
  std::string changed(const std::string& name, Change change) {
    const fs::path path = platform_.folder() / name;
    std::ofstream out(path);
    for (const std::string& line : lines_of(text_of(platform_.folder() / "live.jsonl")))
      out << change(line);
    return path.string();
  }
  Platform::Said replay(const std::string& file, const std::string& more = "") {
    return platform_.run_supervisor("replay --trigger fateful --input " + file + " " + more);
  }

  Platform platform_;
  std::unique_ptr<DatagramSender> sender_;
  std::uint64_t sent_ = 0;
};

TEST_F(RecordedReplay, OfAnExportGivesStateAndNotificationsOfTheLiveRunByteForByteTwice) {
  platform_.save_script("fateful", fateful_script);
  platform_.configure("", "[limits]\ncallback_cpu_max = \"500ms\"\n");
  ASSERT_TRUE(platform_.start_syndicator());
  ASSERT_TRUE(platform_.start_supervisor());
  ASSERT_TRUE(platform_.wait_for_triggers());
  const auto deployed = platform_.get("/v1/deployments?limit=1");
  ASSERT_TRUE(deployed && !deployed->value("items", Json::array()).empty());
  const auto first = (*deployed)["items"][0]["sequence"].get<std::uint64_t>();
  sender_ = std::make_unique<DatagramSender>(fmt::format("127.0.0.1:{}", platform_.udp_port()));
  const std::string gauge = R"({"type":"gauge","name":"it.load","value":1})";
  send(gauge, 100);
  send(R"({"type":"mark","name":"fate.raise","value":null})");
  send(gauge, 50);
  // The platform skips what never comes back, and pauses.
  send(R"({"type":"mark","name":"fate.spin","value":null})");
  ASSERT_TRUE(wait_until(
      [&] {
        const auto trigger = platform_.get("/v1/triggers/fateful");
        return trigger && trigger->value("status", "") == "paused";
      },
      std::chrono::seconds{60}));
  ASSERT_EQ(platform_.run_hastur("resume fateful").exit_code, 0);
  send(gauge, 50);
  settle();
  ASSERT_EQ(platform_.run_hastur("pause fateful --why fate").exit_code, 0);
  send(gauge, 30);
  wait_for_all_sent();
  const auto sent_through = platform_.metric("hastur_stream_sequence");
  ASSERT_TRUE(sent_through);
  ASSERT_TRUE(wait_until(
      [&] {
        const auto trigger = platform_.get("/v1/triggers/fateful");
        return trigger && trigger->value("cursor", std::uint64_t{0}) >= *sent_through;
      },
      std::chrono::seconds{60}));
  ASSERT_EQ(platform_.run_hastur("resume fateful").exit_code, 0);
  send(gauge, 50);
  settle();
  ASSERT_FALSE(HasFailure());

  const auto stored = platform_.get("/v1/triggers/fateful/state");
  ASSERT_TRUE(stored);
  EXPECT_EQ((*stored)["state"]["seen"], 250) << "30 passed it by";
  const auto last = (*stored)["sequence"].get<std::uint64_t>();
  const std::string stretch = fmt::format(" --from {} --to {}", first, last);
  const std::string file = platform_.folder() / "live.jsonl";
  const auto exported = platform_.run_supervisor("export --output " + file + stretch);
  ASSERT_EQ(exported.exit_code, 0) << exported.error;
  const std::string text = text_of(file);
  for (const char* word : {"\"journal\":\"pause\"", "\"journal\":\"resume\"", "\"why\":\"killed\"",
                           "\"why\":\"raised\"", "\"version\":"})
    EXPECT_TRUE(has(text, word)) << word;

  const auto once = replay(file);
  ASSERT_EQ(once.exit_code, 0) << once.error;
  EXPECT_TRUE(has(once.error, "6 decisions of the journal")) << once.error;
  EXPECT_EQ(replay(file).out, once.out);
  const auto over_history = platform_.run_supervisor("replay --trigger fateful" + stretch);
  ASSERT_EQ(over_history.exit_code, 0) << over_history.error;
  EXPECT_EQ(once.out, over_history.out);
  std::vector<Json> notifications, states;
  for (const std::string& line : lines_of(once.out)) {
    Json json = *parse_json(line);
    if (json.contains("state")) states.push_back(json["state"]);
    if (json.value("effect", "") == "notification") notifications.push_back(std::move(json));
  }
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states[0], (*stored)["state"]);

  // The decisions make the difference.
  const auto unpaused = replay(changed("unpaused.jsonl", [](const std::string& line) {
    return has(line, "\"by\":\"person\",\"why\":\"fate\"") ? "" : line + "\n";
  }));
  EXPECT_EQ(unpaused.exit_code, 0) << unpaused.error;
  EXPECT_EQ(parse_json(lines_of(unpaused.out).back())->at("state").at("seen"), 280);
  // Those of another version do not; a call that ends nowhere ends the replay.
  const auto foreign = replay(changed("foreign.jsonl", [](const std::string& line) {
    const auto at = line.find("\"version\":\"");
    return (at == std::string::npos ? line : std::string(line).insert(at + 11, "x")) + "\n";
  }));
  EXPECT_EQ(foreign.exit_code, 1);
  EXPECT_TRUE(has(foreign.error, "6 of the journal")) << foreign.error;
  EXPECT_TRUE(has(foreign.error, "died")) << foreign.error;

  // What History had lost stops it, and what cannot be decoded is said.
  std::uint64_t gauges = 0;
  const std::string lost = changed("lost.jsonl", [&](const std::string& line) {
    if (has(line, "it.load")) ++gauges;
    if (gauges == 3) return ++gauges, std::string("{\"half\n");
    const char* range = "{\"first\":4,\"journal\":\"lost\",\"last\":5,\"why\":\"power\"}\n";
    const bool is_last = has(line, fmt::format("\"seq\":{},", last));
    return (is_last ? range : "") + line + "\n";
  });
  const auto stopped = replay(lost);
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_TRUE(has(stopped.error, "the inputs 4 to 5")) << stopped.error;
  EXPECT_TRUE(has(stopped.error, "--accept-loss")) << stopped.error;
  EXPECT_TRUE(has(stopped.out, "\"effect\":\"notification\"")) << "as far as it goes";
  const auto accepted = replay(lost, "--accept-loss");
  EXPECT_EQ(accepted.exit_code, 0) << accepted.error;
  EXPECT_TRUE(has(accepted.error, "1 of ")) << accepted.error;
  EXPECT_TRUE(has(accepted.error, "cannot be decoded")) << accepted.error;
  const auto unnumbered = replay(changed("unnumbered.jsonl", [](const std::string& line) {
    auto json = *parse_json(line);
    json.erase("seq");
    return canonical_json(json) + "\n";
  }));
  EXPECT_EQ(unnumbered.exit_code, 1);
  EXPECT_TRUE(has(unnumbered.error, "cannot be obeyed")) << unnumbered.error;
  EXPECT_TRUE(has(replay("/nope").error, "cannot read /nope: No such file")) << "why";
  platform_.stop();

  Remains remains(platform_);
  CheckpointStore::NotificationQuery query;
  query.trigger = "fateful";
  query.max = 1'000;
  const auto kept = remains.store().notifications(query);
  ASSERT_TRUE(kept);
  std::vector<Json> recorded;
  for (const NotificationRecord& record : *kept) {
    Json line = *parse_json(record.payload);
    line["effect"] = "notification";
    line["seq"] = record.sequence.value;
    line["time"] = to_us(record.time);
    // What the platform says of its pauses is no trigger's.
    if (line["kind"] != "platform") recorded.push_back(std::move(line));
  }
  EXPECT_EQ(recorded.size(), 12u);
  EXPECT_EQ(notifications, recorded);
}

}  // namespace
}  // namespace hastur
