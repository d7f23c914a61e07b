#include "supervisor/replay/replay_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/support/started_program.h"

namespace hastur {
namespace {

TEST(ReplayFile, WhatKilledReplaysLeftIsRemovedAndNothingElse) {
  const TemporaryFolder folder;
  const std::string state = folder.file("state.db");
  const std::string others[] = {"state.db",         "state.db-wal",         "state.db.lock",
                                "state.db.replay-", "state.db.replay-note", "other.db.replay-12",
                                "state.db.git"};
  for (const std::string& name : others) std::ofstream(folder.file(name)) << "x";
  for (const char* name :
       {"state.db.replay-12", "state.db.replay-12-wal", "state.db.replay-12-shm",
        "state.db.replay-12.lock", "state.db.replay-13.alive", "state.db.replay-14-journal"})
    std::ofstream(folder.file(name)) << "x";

  const auto versions = make_memory_store();
  ReplayFile::Options options;
  options.path = replay_path(state);
  auto alive = ReplayFile::make({}, StreamId{{7}}, *versions, options);
  ASSERT_TRUE(alive) << alive.error().message;
  (*alive)->close();
  remove_dead_replays(state);
  EXPECT_TRUE(std::filesystem::exists(options.path)) << "the supervisor is to read it";
  alive->reset();

  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder.file("")))
    left.insert(entry.path().filename().string());
  EXPECT_EQ(left, std::set<std::string>(std::begin(others), std::end(others)));
}

}  // namespace
}  // namespace hastur
