// trigger-test and the supervisor take the same files for triggers and give them the same names.

#include "trigger-test/trigger_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "supervisor/deploy/script_directory.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

class TriggerFilesOf : public ::testing::Test {
 protected:
  TriggerFilesOf() {
    char name[] = "/tmp/hastur-trigger-files-XXXXXX";
    HASTUR_CHECK(mkdtemp(name) != nullptr, "no folder for a test");
    folder_ = name;
  }
  ~TriggerFilesOf() override { fs::remove_all(folder_); }

  void write(const std::string& path) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << "-- " << path;
  }
  std::string name_of(const std::string& path) {
    const auto files = find_trigger_files(folder_ / path);
    return files ? files->name : "refused: " + files.error().message;
  }

  fs::path folder_;
};

// What each of the two takes for triggers in `directory`: path → name.
using Names = std::map<std::string, TriggerName>;

Names names_by_supervisor(const fs::path& directory) {
  Names names;
  const auto set = read_script_directory(directory);
  EXPECT_TRUE(set && set->problems.empty());
  if (!set) return names;
  for (const DesiredScript& script : set->scripts) {
    names.emplace(script.version.script.path, script.name);
  }
  return names;
}

Names names_by_trigger_test(const fs::path& directory) {
  Names names;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const auto files = find_trigger_files(entry.path());
    if (files)
      names.emplace(entry.path().lexically_relative(directory).generic_string(), files->name);
  }
  return names;
}

TEST_F(TriggerFilesOf, ADirectoryWithItsMarkerAreThoseOfTheSupervisor) {
  for (const char* path :
       {".git/HEAD", "lib/of_the_repo.lua", "scripts/.hastur/meta.lua", "scripts/load.lua",
        "scripts/load.test.lua", "scripts/load.test.more.lua", "scripts/load.test.json",
        "scripts/lib/pages.lua", "scripts/lib/.draft.lua", "scripts/billing/load.lua",
        "scripts/billing/lib/load.lua", "scripts/.hidden.lua", "scripts/notes.md"}) {
    write(path);
  }
  const Names names = names_by_trigger_test(folder_ / "scripts");
  EXPECT_EQ(names, names_by_supervisor(folder_ / "scripts"));
  EXPECT_EQ(names, (Names{{"load.lua", "load"},
                          {"billing/load.lua", "billing/load"},
                          {"billing/lib/load.lua", "billing/lib/load"}}));
  std::ofstream(folder_ / "scripts/billing/load.lua") << "require 'lib.pages'";
  std::ofstream(folder_ / "scripts/lib/unused.lua") << "";
  const auto files = find_trigger_files(folder_ / "scripts/billing/load.lua");
  ASSERT_EQ(files->libraries.size(), 1u);
  EXPECT_EQ(files->libraries[0].path, "lib/pages.lua");
}

TEST_F(TriggerFilesOf, AFolderWithoutMarkerAreNamedFromTheNearestLibOrGit) {
  for (const char* path : {"a/.git/HEAD", "a/b/lib/x.lua", "a/b/c/load.lua", "a/load.lua"})
    write(path);
  EXPECT_EQ(name_of("a/b/c/load.lua"), "c/load");
  EXPECT_EQ(name_of("a/load.lua"), "load");
  // The marker of a folder around the repo is not the repo's.
  fs::create_directories(folder_ / ".hastur");
  EXPECT_EQ(name_of("a/b/c/load.lua"), "c/load");
  EXPECT_EQ(names_by_supervisor(folder_ / "a/b").at("c/load.lua"), "c/load");
}

TEST_F(TriggerFilesOf, AFolderThatCannotBeReadAreNotPassedOver) {
  for (const char* path : {"perm/a/a.lua", "perm/m/m.lua", "perm/z/z.lua", "perm/lib/deep/x.lua"})
    write(path);
  std::ofstream(folder_ / "perm/a/a.lua") << "require 'lib.deep.x'";
  const auto as_nobody = [&](const std::string& closed, const auto& ask) {
    fs::permissions(folder_ / closed, fs::perms::none);
    fs::permissions(folder_, fs::perms::all);
    const uid_t us = geteuid();
    if (us == 0) HASTUR_CHECK(seteuid(65534) == 0, "cannot be nobody");
    const auto answer = ask();
    if (us == 0) HASTUR_CHECK(seteuid(us) == 0, "cannot come back");
    fs::permissions(folder_ / closed, fs::perms::all);
    return answer ? std::string("fine") : answer.error().message;
  };
  const auto list = [&] { return list_triggers(folder_ / "perm"); };
  const auto find = [&] { return find_trigger_files(folder_ / "perm/a/a.lua"); };
  for (const char* closed : {"perm/z", "perm/a"})
    EXPECT_EQ(as_nobody(closed, list),
              "cannot read " + (folder_ / closed).string() + ": Permission denied");
  EXPECT_EQ(as_nobody("perm/lib", list), "fine");
  EXPECT_EQ(as_nobody("perm/lib", find),
            "cannot read " + (folder_ / "perm/lib/deep/x.lua").string() + ": Permission denied");
}

TEST(TriggersOfThisRepo, AreNamedAsInProduction) {
  const Names names = names_by_trigger_test(HASTUR_TRIGGERS);
  EXPECT_EQ(names, names_by_supervisor(HASTUR_TRIGGERS));
  ASSERT_TRUE(names.contains("load_spike.lua"));
  EXPECT_EQ(names.at("load_spike.lua"), "load_spike");
}

}  // namespace
}  // namespace hastur
