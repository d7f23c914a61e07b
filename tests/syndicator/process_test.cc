// The real syndicator: what arrives is in its History, whatever is done to it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "state/history/sqlite_history.h"
#include "tests/support/datagram_sender.h"
#include "tests/support/started_program.h"
#include "tests/syndicator/syndicator_driver.h"

namespace hastur {
namespace {

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

struct RunningSyndicator {
  explicit RunningSyndicator(const std::string& folder)
      : process({HASTUR_SYNDICATOR, "--udp", "127.0.0.1:0", "--publish", "tcp://127.0.0.1:*",
                 "--request", "tcp://127.0.0.1:*", "--history", folder}),
        udp(process.says("receiving on UDP ", ",")),
        sender(udp.empty() ? "127.0.0.1:9" : udp) {
    EXPECT_FALSE(udp.empty()) << process.text();
  }
  StartedProgram process;
  std::string udp;
  DatagramSender sender;
};

struct Stored {
  std::vector<Json> messages;
  std::map<std::string, std::uint64_t> counters;
  std::vector<LostRange> lost;
};
Stored stored_in(const std::string& folder) {
  Stored stored;
  SqliteHistoryOptions options;
  options.directory = folder;
  options.boot_id = boot_id();
  auto history = open_history(options);
  EXPECT_TRUE(history) << history.error().message;
  if (!history) return stored;
  for (Sequence from{1}; from <= (*history)->last();) {
    const auto batches = (*history)->read(from, {});
    EXPECT_TRUE(batches && !batches->empty());
    if (!batches || batches->empty()) break;
    for (const Batch& batch : *batches) {
      EXPECT_EQ(batch.header.first, from) << "dense";
      SyndicatorDriver::append_messages(stored.messages, batch);
      from = batch.header.last().next();
    }
  }
  stored.counters = (*history)->counters();
  stored.lost = *(*history)->lost({1}, (*history)->last());
  return stored;
}

std::uint64_t count_of(const std::vector<Json>& messages, std::string_view type) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      messages, [&](const Json& message) { return message["type"] == type; }));
}

TEST(SyndicatorProcess, GarbageIsCountedAndShownAndItsNeighboursGetThrough) {
  TemporaryFolder folder;
  {
    RunningSyndicator running(folder.file("history"));
    const std::string valid = R"({"type":"gauge","name":"valid","value":1})";
    std::uint64_t state = 1;
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(running.sender.send(valid));
      std::string garbage;
      for (int j = 0; j < i * 7; ++j) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        garbage += static_cast<char>(state >> 56);
      }
      EXPECT_TRUE(running.sender.send(garbage));
    }
    EXPECT_TRUE(running.sender.send(R"({"type":"gauge","name":"half)"));
    EXPECT_TRUE(running.sender.send(R"({"type":"gouge","name":"unknown","value":1})"));
    EXPECT_TRUE(running.sender.send(std::string(65'507, '[')));
    EXPECT_TRUE(running.sender.send(
        fmt::format(R"({{"type":"log","subject":"{}"}})", std::string(64'000, 'x'))));
    EXPECT_TRUE(running.sender.send(valid));
    EXPECT_EQ(running.process.end(SIGTERM), 0) << running.process.text();
  }
  const Stored stored = stored_in(folder.file("history"));
  EXPECT_EQ(stored.counters.at("received"), 205u);
  EXPECT_EQ(count_of(stored.messages, "gauge"), 101u);
  EXPECT_EQ(count_of(stored.messages, "log"), 1u);
  EXPECT_EQ(count_of(stored.messages, "error"), 103u);
  EXPECT_EQ(stored.counters.at("refused.unknown_type"), 1u);
}

TEST(SyndicatorProcess, ACleanStopLosesNothingThatWasReceived) {
  TemporaryFolder folder;
  constexpr int count = 1000;
  {
    RunningSyndicator running(folder.file("history"));
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(
          running.sender.send(fmt::format(R"({{"type":"gauge","name":"a","value":{}}})", i)));
    }
    EXPECT_EQ(running.process.end(SIGTERM), 0) << running.process.text();
  }
  const Stored stored = stored_in(folder.file("history"));
  const auto dropped = stored.counters.find("kernel_dropped");
  const std::uint64_t kernel = dropped == stored.counters.end() ? 0 : dropped->second;
  EXPECT_EQ(stored.counters.at("received") + kernel, static_cast<std::uint64_t>(count));
  EXPECT_EQ(count_of(stored.messages, "gauge"), stored.counters.at("received"));
}

TEST(SyndicatorProcess, KilledAtAnyMomentTheNumberingGoesOnDensely) {
  TemporaryFolder folder;
  int sent = 0;
  for (int life = 0; life < 5; ++life) {
    RunningSyndicator running(folder.file("history"));
    for (int i = 0; i < 400 + life * 111; ++i) {
      running.sender.send(fmt::format(R"({{"type":"gauge","name":"a","value":{}}})", sent++));
    }
    EXPECT_EQ(running.process.end(SIGKILL), -SIGKILL);
  }
  {
    RunningSyndicator running(folder.file("history"));
    EXPECT_EQ(running.process.end(SIGTERM), 0);
  }
  const Stored stored = stored_in(folder.file("history"));
  EXPECT_TRUE(stored.lost.empty()) << "the machine did not go down";
  const std::uint64_t gauges = count_of(stored.messages, "gauge");
  const auto received = stored.counters.find("received");
  EXPECT_EQ(gauges, received == stored.counters.end() ? 0 : received->second);
  for (std::size_t i = 0; i < stored.messages.size(); ++i)
    EXPECT_EQ(stored.messages[i]["seq"], i + 1);
  // Each datagram at most once, in order.
  double last = -1;
  for (const Json& message : stored.messages) {
    if (message["type"] != "gauge") continue;
    EXPECT_GT(message["value"].get<double>(), last);
    last = message["value"].get<double>();
  }
}

TEST(SyndicatorProcess, AHistoryThatIsInUseIsNamed) {
  TemporaryFolder folder;
  RunningSyndicator running(folder.file("history"));
  StartedProgram second({HASTUR_SYNDICATOR, "--udp", "127.0.0.1:0", "--publish",
                         "tcp://127.0.0.1:*", "--request", "tcp://127.0.0.1:*", "--history",
                         folder.file("history")});
  EXPECT_EQ(second.end(), 1);
  EXPECT_NE(second.text().find(folder.file("history")), std::string::npos) << second.text();
}

TEST(SyndicatorProcess, ChecksItsConfigurationAndRefusesToOpenUp) {
  TemporaryFolder folder;
  std::ofstream(folder.file("hastur.toml")) << "[syndicator]\nrequest = \"tcp://0.0.0.0:4944\"\n";
  StartedProgram refused(
      {HASTUR_SYNDICATOR, "--config", folder.file("hastur.toml"), "--check-config"});
  EXPECT_NE(refused.end(), 0);
  EXPECT_NE(refused.text().find("0.0.0.0"), std::string::npos) << refused.text();
  StartedProgram good({HASTUR_SYNDICATOR, "--config", folder.file("hastur.toml"), "--request",
                       "tcp://127.0.0.1:4944", "--check-config"});
  EXPECT_EQ(good.end(), 0) << good.text();
  for (const char* address : {"127.0.0.1", "127.0.0.1:80000", "127.0.0.1:x", "300.1.1.1:8125"}) {
    StartedProgram nowhere({HASTUR_SYNDICATOR, "--config", folder.file("hastur.toml"), "--request",
                            "tcp://127.0.0.1:4944", "--udp", address, "--check-config"});
    EXPECT_EQ(nowhere.end(), 2) << address;
    EXPECT_NE(nowhere.text().find(address), std::string::npos) << nowhere.text();
  }
  for (const char* address : {"foo", "tcp://", "tcp://host", "tcp://a:x"}) {
    StartedProgram nowhere({HASTUR_SYNDICATOR, "--config", folder.file("hastur.toml"), "--request",
                            "tcp://127.0.0.1:4944", "--core", address, "--check-config"});
    EXPECT_EQ(nowhere.end(), 2) << address;
    EXPECT_NE(nowhere.text().find("`core`"), std::string::npos) << nowhere.text();
  }
  StartedProgram far({HASTUR_SYNDICATOR, "--config", folder.file("hastur.toml"), "--request",
                      "tcp://127.0.0.1:4944", "--core", "tcp://core.example.com:8128",
                      "--check-config"});
  EXPECT_EQ(far.end(), 0) << far.text();
  StartedProgram version({HASTUR_SYNDICATOR, "--version"});
  EXPECT_EQ(version.end(), 0);
  EXPECT_NE(version.text().find("syndicator"), std::string::npos);
}

}  // namespace
}  // namespace hastur
