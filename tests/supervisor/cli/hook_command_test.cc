#include "supervisor/cli/hook_command.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "supervisor/cli/init_repo.h"
#include "tests/supervisor/cli/fake_api.h"
#include "trigger-runtime/sources/repository.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

Json json(const char* text) { return parse_json(text).value(); }

TEST(LiveLine, SaysSinceWhenOrWhyNot) {
  EXPECT_EQ(live_line(json(R"({"id":"d-3","time":1704067200000000,"sequence":17,"commit":"abc",
                              "changes":[{"trigger":"a","outcome":"live"},
                                         {"trigger":"b","outcome":"gone"}]})"),
                      "abc"),
            "live at 2024-01-01T00:00:00Z, sequence 17 (d-3)\n");
  EXPECT_EQ(live_line(json(R"({"id":"d-3","time":1704067200000000,"sequence":17,"commit":"def",
                              "changes":[{"trigger":"a","outcome":"pending"}]})"),
                      "abc"),
            "live at 2024-01-01T00:00:00Z, sequence 17 (d-3), as part of def\n"
            "  a: is behind, and has yet to come to that sequence\n");
  EXPECT_EQ(live_line(json(R"({"id":"d-3","sequence":null,"report":"a.lua: no\n"})"), "abc"),
            "abc is not live: it was refused (d-3)\na.lua: no\n");
}

TEST(Hook, SaysThatThePushIsTakenWhereItsDecisionWaits) {
  FakeApi api;
  api.answers("/v1/commands/follow",
              R"({"id":"d-3","time":1704067200000000,"sequence":17,"changes":[]})");
  api.answers("/healthz", "{}");
  api.holds("/v1/commands/follow", 2);
  const fs::path token = fs::path(testing::TempDir()) / "hastur_hook_token";
  std::ofstream(token) << "0123456789abcdef";
  HookOptions options;
  options.kind = "post-receive";
  options.token_file = token;
  options.patience.look_every = std::chrono::milliseconds{50};
  HttpClient http(api.address(), std::chrono::seconds{60});
  const std::string commit(40, 'a');
  std::istringstream input(std::string(40, '0') + " " + commit + " refs/heads/main\n");
  Loop loop;
  SystemClock clock;
  testing::internal::CaptureStdout();
  EXPECT_EQ(hook_command(http, options, input, loop, clock), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "the push is taken, and not decided yet: what was decided before comes first, and a "
            "trigger that is behind holds up what changes it again\n"
            "live at 2024-01-01T00:00:00Z, sequence 17 (d-3)\n");
  fs::remove(token);
}

TEST(InitRepo, MakesARepositoryWithHooksThatNamePlaceAndToken) {
  const fs::path folder = fs::path(testing::TempDir()) / "hastur_init_repo";
  fs::remove_all(folder);
  fs::create_directories(folder);
  std::ofstream(folder / "hastur.toml")
      << "[supervisor]\nhttp = \"127.0.0.1:9\"\nstate = \"/var/x/state.db\"\n[notify.a]\nb = 1\n";
  InitRepoOptions options;
  options.path = folder / "t.git";
  options.branch = "live";
  options.config = folder / "hastur.toml";
  const Time now = time_from_us(1'704'067'200'000'000);
  testing::internal::CaptureStdout();
  EXPECT_EQ(init_repo_command(options, "/opt/it's/hastur", now), 0);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_NE(said.find("repo = \"" + options.path + "\"\n  branch = \"live\"\n"), std::string::npos)
      << said;
  std::ifstream file(folder / "t.git/hooks/pre-receive");
  const std::string hook{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(hook.find("exec '/opt/it'\\''s/hastur' hook pre-receive --branch 'live' \\\n"
                      "  --http '127.0.0.1:9' --token-file '/var/x/token'\n"),
            std::string::npos)
      << hook;
  EXPECT_NE(fs::status(folder / "t.git/hooks/post-receive").permissions() & fs::perms::owner_exec,
            fs::perms::none);
  const auto repository = GitRepository::open(options.path);
  const auto tip = repository->tip("live");
  ASSERT_TRUE(tip && *tip);
  EXPECT_TRUE(repository->read(**tip)->files.contains("cpu_busy.test.lua"));
  // It is there already.
  testing::internal::CaptureStderr();
  EXPECT_EQ(init_repo_command(options, "/opt/hastur", now), 1);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("not empty"), std::string::npos);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace hastur
