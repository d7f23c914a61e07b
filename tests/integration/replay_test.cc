// Replays of the real programs beside what the live run left.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "core/clock.h"
#include "core/json.h"
#include "tests/integration/load.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/scripts.h"
#include "tests/integration/waiting.h"
#include "tests/support/datagram_sender.h"

namespace hastur {
namespace {

constexpr Micros soon = std::chrono::seconds{60};
const std::vector<std::string> names = {"chain", "chatty", "each_second", "raising"};

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    auto json = parse_json(line);
    if (!json) {
      ADD_FAILURE() << "no JSON: " << line;
      return lines;
    }
    lines.push_back(std::move(*json));
  }
  return lines;
}

class Replay : public testing::Test {
 protected:
  // What is left of a live run with a pause and a death in it; syndicator and supervisor run.
  void live(std::uint64_t count) {
    platform_.save_script("chatty", chatty_script);
    platform_.save_script("chain", chain_script);
    platform_.save_script("each_second", each_second_script);
    platform_.save_script("raising", raising_script);
    ASSERT_TRUE(platform_.start_syndicator());
    ASSERT_TRUE(platform_.start_supervisor());
    ASSERT_TRUE(platform_.wait_for_triggers());
    const auto deployed = platform_.get("/v1/deployments?limit=1");
    ASSERT_TRUE(deployed && !deployed->value("items", Json::array()).empty());
    first_ = (*deployed)["items"][0]["sequence"].get<std::uint64_t>();
    Sender sender(platform_.udp_port());
    const std::uint64_t per_second = is_sanitized ? 5'000 : 25'000;
    sender.send(count, per_second);
    const Micros enough = soon + 4 * std::chrono::seconds{count / per_second};
    ASSERT_TRUE(wait_until([&] { return sender.sent() > count / 2; }, enough));
    platform_.supervisor().kill_9();
    ASSERT_TRUE(platform_.start_supervisor());
    sender.finish();
    // What is still on its way would come after the replay.
    ASSERT_TRUE(wait_until(
        [&] {
          std::uint64_t heard = 0;
          for (const char* name : {"hastur_received_total", "hastur_kernel_dropped_total",
                                   "hastur_syndicator_total{name=\"ring_dropped\"}"})
            heard += platform_.metric(name).value_or(0);
          return heard >= sender.sent();
        },
        enough));
    ASSERT_TRUE(platform_.settle("chatty"));
  }
  Json stored_state(const std::string& name) {
    auto state = platform_.get("/v1/triggers/" + name + "/state");
    return state ? std::move(*state) : Json::object();
  }

  Platform platform_;
  // The first input of all triggers: ticks may stand before it.
  std::uint64_t first_ = 0;
};

TEST_F(Replay, GivesStateMessagesAndNotificationsOfTheLiveRunByteForByteTwice) {
  SystemClock clock;
  const std::uint64_t count = by_hand("HASTUR_REPLAY_MESSAGES", is_sanitized ? 50'000 : 1'000'000);
  live(count);
  ASSERT_FALSE(HasFailure());
  const std::string command = fmt::format("replay --all --from {}", first_);
  const Micros started = clock.monotonic();
  const auto first = platform_.run_supervisor(command + " --to 2000000000");
  const Micros took = clock.monotonic() - started;
  ASSERT_EQ(first.exit_code, 0) << first.error;
  const auto second = platform_.run_supervisor(command + " --to 2000000000");
  EXPECT_NE(first.error.find("chatty begins with"), std::string::npos) << first.error;
  // Ticks go on meanwhile: what the first one saw is the beginning of what the second one sees.
  std::map<std::string, std::vector<Json>> messages, notifications;
  for (const Json& line : lines_of(first.out)) {
    if (line.contains("state")) continue;
    if (line["effect"] == "message") messages[line["trigger"]].push_back(line);
    if (line["effect"] == "notification") notifications[line["trigger"]].push_back(line);
  }
  // All but a last line for each trigger.
  std::string effects = first.out;
  for (std::size_t line = 0; line <= names.size(); ++line) effects.resize(effects.rfind('\n'));
  ASSERT_GT(effects.size(), first.out.size() / 2);
  EXPECT_TRUE(second.out.starts_with(effects));
  // The state where it is stored.
  for (const std::string& name : names) {
    const Json stored = stored_state(name);
    const auto to = platform_.run_supervisor(fmt::format("replay --trigger {} --from {} --to {}",
                                                         name, first_, stored["sequence"].dump()));
    ASSERT_EQ(to.exit_code, 0) << to.error;
    EXPECT_EQ(lines_of(to.out).back()["state"], stored["state"]) << name;
  }
  platform_.stop();

  Remains remains(platform_);
  for (const auto& [name, rows] : remains.census().derived) {
    // The platform's reports of failed calls stand there too.
    std::vector<Json> derived;
    for (const DerivedRow& row : rows) {
      if (row.message.view().type == MessageType::error) continue;
      derived.push_back(Json(row.message.view().origin->sequence.value));
    }
    ASSERT_GE(derived.size(), messages[name].size()) << name;
    for (std::size_t i = 0; i < messages[name].size(); ++i)
      ASSERT_EQ(messages[name][i]["seq"], derived[i]) << name;
  }
  CheckpointStore::NotificationQuery query;
  query.max = 1'000'000;
  const auto kept = remains.store().notifications(query);
  ASSERT_TRUE(kept);
  std::map<std::string, std::vector<Json>> recorded;
  for (const NotificationRecord& record : *kept) {
    Json line = *parse_json(record.payload);
    line["effect"] = "notification";
    line["seq"] = record.sequence.value;
    line["time"] = to_us(record.time);
    line["trigger"] = record.trigger;
    recorded[record.trigger].push_back(std::move(line));
  }
  EXPECT_GT(recorded["chatty"].size(), 0u);
  EXPECT_EQ(notifications, recorded);
  fmt::print("{} inputs through {} triggers in {}\n", remains.history().last().value, names.size(),
             format_span(took));
}

// The second begins with its script's state, too, where no memory of before its --from is left:
// what it went through on the way there is part of it, and of what comes after.
TEST_F(Replay, OneIntoLiveAfterAnotherLosesNothingOfBefore) {
  platform_.save_script("counts", R"(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "it.load" }, function(msg)
  ctx.state.n = ctx.state.n + 1
  if ctx.state.n == 1 then pager_duty("first", "the first one") end
end)
)");
  ASSERT_TRUE(platform_.start_syndicator());
  ASSERT_TRUE(platform_.start_supervisor());
  ASSERT_TRUE(platform_.wait_for_triggers());
  DatagramSender sender(fmt::format("127.0.0.1:{}", platform_.udp_port()));
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(sender.send(R"({"type":"gauge","name":"it.load","value":1})"));
  ASSERT_TRUE(wait_until(
      [&] { return platform_.metric("hastur_received_total").value_or(0) >= 200; }, soon));
  ASSERT_TRUE(platform_.settle("counts"));
  for (const int from : {1, 60, 120}) {
    const auto replayed = platform_.run_supervisor(
        fmt::format("replay --trigger counts --from {} --into live --yes", from));
    ASSERT_EQ(replayed.exit_code, 0) << replayed.error;
    ASSERT_TRUE(platform_.settle("counts"));
    EXPECT_EQ(stored_state("counts")["state"]["n"], 200) << from;
  }
  const auto incidents = platform_.get("/v1/incidents");
  ASSERT_TRUE(incidents);
  ASSERT_EQ((*incidents)["items"].size(), 1u) << incidents->dump();
  EXPECT_EQ((*incidents)["items"][0]["state"], "open") << "nobody resolved it";
}

// What a trigger has now is what its newest version makes of all of History, while more comes.
TEST_F(Replay, IntoLiveTakesTheTriggersPlaceWhileTheStreamRunsOn) {
  live(is_sanitized ? 5'000 : 20'000);
  ASSERT_FALSE(HasFailure());
  // Twice as much, and other keys.
  std::string changed = chatty_script;
  const auto replace = [&changed](const std::string& from, const std::string& to) {
    changed.replace(changed.find(from), from.size(), to);
  };
  replace("state.sum + msg.value", "state.sum + 2 * msg.value");
  replace("\"requests-\"", "\"req-\"");
  platform_.save_script("chatty", changed);
  const auto run_of_chatty = [&] {
    const auto trigger = platform_.get("/v1/triggers/chatty");
    return trigger ? trigger->value("run", 0) : 0;
  };
  ASSERT_TRUE(wait_until([&] { return run_of_chatty() == 2; }, soon));

  const std::string command = "replay --trigger chatty --from 1 --into live --notify pending";
  const auto shown = platform_.run_supervisor(command);
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_NE(shown.error.find("differ"), std::string::npos) << shown.error;
  EXPECT_NE(shown.error.find("nothing has been changed"), std::string::npos) << shown.error;
  EXPECT_EQ(run_of_chatty(), 2);

  Sender sender(platform_.udp_port());
  sender.send(std::nullopt, is_sanitized ? 500 : 5'000);
  const auto done = platform_.run_supervisor(command + " --yes");
  EXPECT_EQ(done.exit_code, 0) << done.error;
  EXPECT_NE(done.error.find("chatty is at run 3"), std::string::npos) << done.error;
  EXPECT_EQ(run_of_chatty(), 3);
  // Both databases are sound while they are written, corrections and all.
  for (const auto& said : {platform_.run_supervisor("check"), platform_.run_syndicator("check")}) {
    EXPECT_EQ(said.exit_code, 0) << said.out << said.error;
    EXPECT_NE(said.out.find(": sound; "), std::string::npos) << said.out;
  }
  sender.stop();
  // It outlives a death right after it.
  platform_.supervisor().kill_9();
  ASSERT_TRUE(platform_.start_supervisor());
  ASSERT_TRUE(platform_.settle("chatty"));
  EXPECT_EQ(run_of_chatty(), 3);

  const Json stored = stored_state("chatty");
  const auto scratch = platform_.run_supervisor(
      fmt::format("replay --trigger chatty --from 1 --to {}", stored["sequence"].dump()));
  ASSERT_EQ(scratch.exit_code, 0) << scratch.error;
  EXPECT_EQ(lines_of(scratch.out).back()["state"], stored["state"]);
  // One of each step, and all by the newest version.
  std::vector<Json> expected, derived;
  for (const Json& line : lines_of(scratch.out)) {
    if (line.value("effect", "") == "message") expected.push_back(line["message"]["value"]);
  }
  const auto stats = platform_.get("/v1/stats?name=it.derived&step=30d&fn=count&from=0");
  ASSERT_TRUE(stats);
  double counted = 0;
  for (const Json& point : stats->at("points")) counted += point[1].get<double>();
  EXPECT_EQ(counted, static_cast<double>(expected.size()));
  std::string after = "0";
  while (true) {
    const auto page = platform_.get("/v1/messages?name=it.derived&limit=1000&after=" + after);
    ASSERT_TRUE(page);
    for (const Json& item : page->at("items")) {
      if (item.value("superseded", false)) continue;
      EXPECT_EQ(item["origin"]["run"], 3);
      derived.push_back(item["value"]);
    }
    if (page->at("items").size() < 1'000) break;
    after = page->at("next").dump();
  }
  EXPECT_EQ(derived, expected);
  // The one incident is open: its newest notification waits for somebody.
  const auto pending = platform_.get("/v1/notifications?status=pending");
  ASSERT_TRUE(pending);
  ASSERT_EQ(pending->at("items").size(), 1u);
  EXPECT_EQ(pending->at("items")[0]["reason"], "replay");
  EXPECT_EQ(pending->at("items")[0]["trigger"], "chatty");
}

// What a replay of several triggers says of each. Which one's lines come first is up to how the
// stream is cut into batches.
std::map<std::string, std::vector<Json>> by_trigger(const std::string& out) {
  std::map<std::string, std::vector<Json>> lines;
  for (Json& line : lines_of(out)) lines[line["trigger"]].push_back(std::move(line));
  return lines;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A History that was exported and imported is the same to everybody: whoever reads it, and whoever
// runs triggers over it.
TEST_F(Replay, OfAnExportThatWasImportedGivesTheSame) {
  namespace fs = std::filesystem;
  SystemClock clock;
  live(by_hand("HASTUR_EXPORT_MESSAGES", is_sanitized ? 5'000 : 20'000));
  ASSERT_FALSE(HasFailure());
  const auto sequence = stored_state("chatty")["sequence"].get<std::uint64_t>();
  const std::string stretch = fmt::format(" --from 1 --to {}", sequence);
  const auto replayed = platform_.run_supervisor("replay --all" + stretch);
  ASSERT_EQ(replayed.exit_code, 0) << replayed.error;
  const fs::path file = platform_.folder() / "all.jsonl";
  const Micros started = clock.monotonic();
  const auto exported = platform_.run_supervisor("export --output " + file.string() + stretch);
  const Micros exported_at = clock.monotonic();
  ASSERT_EQ(exported.exit_code, 0) << exported.error;
  const std::string text = text_of(file);
  // The journal, then the inputs.
  const std::string inputs = text.substr(text.find("{\"deaf\":"));
  EXPECT_GT(text.size(), inputs.size());
  EXPECT_NE(text.find("\"journal\":\"start\""), std::string::npos) << text.substr(0, 1000);
  const auto over_file =
      platform_.run_supervisor("replay --trigger chatty --input " + file.string());
  ASSERT_EQ(over_file.exit_code, 0) << over_file.error;
  platform_.stop();

  for (const fs::path& path :
       {fs::path(platform_.history_folder()), fs::path(platform_.state_file()).parent_path()})
    fs::rename(path, path.string() + ".before");
  const Micros stopped = clock.monotonic();
  const auto imported = platform_.run_syndicator("import " + file.string());
  const Micros took = clock.monotonic() - stopped;
  ASSERT_EQ(imported.exit_code, 0) << imported.error;
  ASSERT_TRUE(platform_.start_syndicator());
  ASSERT_TRUE(platform_.start_supervisor());
  ASSERT_TRUE(platform_.wait_for_triggers());
  const auto again = platform_.run_supervisor("export --no-journal" + stretch);
  ASSERT_EQ(again.exit_code, 0) << again.error;
  const std::string head =
      fmt::format("{{\"first\":1,\"journal\":\"stretch\",\"last\":{}}}\n", sequence);
  EXPECT_TRUE(text.starts_with(head)) << text.substr(0, 200);
  EXPECT_TRUE(again.out == head + inputs) << "not the same bytes";
  const auto replayed_again = platform_.run_supervisor("replay --all" + stretch);
  ASSERT_EQ(replayed_again.exit_code, 0) << replayed_again.error;
  EXPECT_EQ(by_trigger(replayed_again.out), by_trigger(replayed.out));
  EXPECT_EQ(lines_of(over_file.out).back()["state"],
            by_trigger(replayed.out)["chatty"].back()["state"]);
  fmt::print("{} inputs exported in {}, imported in {}\n", sequence,
             format_span(exported_at - started), format_span(took));
}

TEST_F(Replay, BeginsAtASnapshotOrATimeAndSaysWhatItCannotDo) {
  live(is_sanitized ? 5'000 : 20'000);
  ASSERT_FALSE(HasFailure());
  const Json stored = stored_state("chatty");
  const auto sequence = stored["sequence"].get<std::uint64_t>();
  const auto whole =
      platform_.run_supervisor(fmt::format("replay --trigger chatty --from 1 --to {}", sequence));
  const auto late = platform_.run_supervisor(
      fmt::format("replay --trigger chatty --from {} --to {}", sequence / 2, sequence));
  ASSERT_EQ(late.exit_code, 0) << late.error;
  std::string expected;
  std::istringstream in(whole.out);
  for (std::string line; std::getline(in, line);) {
    const Json json = *parse_json(line);
    if (json.contains("seq") && json["seq"].get<std::uint64_t>() >= sequence / 2)
      expected += line + "\n";
  }
  ASSERT_GT(expected.size(), 0u);
  EXPECT_EQ(late.out.substr(0, expected.size()), expected);
  EXPECT_EQ(lines_of(late.out).back()["state"], stored["state"]);

  const auto by_time = platform_.run_supervisor("replay --trigger chatty --from 2h --to 1s");
  EXPECT_EQ(by_time.exit_code, 0) << by_time.error;
  for (const auto& [command, word] :
       {std::pair{"replay --from 1", "--trigger"}, std::pair{"replay --all", "--from"},
        std::pair{"replay --trigger chattY --from 1", "did you mean chatty"},
        std::pair{"replay --trigger chatty --from yesterday", "no point of the stream"},
        std::pair{"replay --trigger chatty --from s-9999", "no snapshot s-9999"},
        std::pair{"replay --trigger chatty --from 1 --into life", "scratch or live"},
        std::pair{"replay --trigger chatty --from 1 --notify pending", "--into live"},
        std::pair{"replay --trigger chatty --from 1 --into live --to 5", "--to"},
        std::pair{"replay --trigger chatty --from 1 --into live --yes --token-file /none",
                  "the token file /none cannot be read"}}) {
    const auto said = platform_.run_supervisor(command);
    EXPECT_NE(said.exit_code, 0) << command;
    EXPECT_NE(said.error.find(word), std::string::npos) << said.error;
    EXPECT_EQ(said.out, "") << command;
  }
}

TEST_F(Replay, ACheckSaysThatHistoryIsNotTheOneThatTheStatesAreOf) {
  platform_.save_script("chatty", chatty_script);
  ASSERT_TRUE(platform_.start_syndicator());
  ASSERT_TRUE(platform_.start_supervisor());
  ASSERT_TRUE(platform_.wait_for_triggers());
  Sender sender(platform_.udp_port());
  sender.send(500, 5'000);
  sender.finish();
  ASSERT_TRUE(platform_.settle("chatty"));
  platform_.stop();
  const std::string check = "check --history " + platform_.history_folder();
  EXPECT_EQ(platform_.run_supervisor(check).exit_code, 0);

  std::filesystem::rename(platform_.history_folder(), platform_.history_folder() + ".aside");
  std::filesystem::create_directory(platform_.history_folder());
  const auto empty = platform_.run_supervisor(check);
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_NE(empty.out.find("is empty"), std::string::npos) << empty.out;
  ASSERT_TRUE(platform_.start_syndicator());
  platform_.syndicator().kill_9();
  const auto other = platform_.run_supervisor(check);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.out.find("the states are of stream "), std::string::npos) << other.out;
}

}  // namespace
}  // namespace hastur
