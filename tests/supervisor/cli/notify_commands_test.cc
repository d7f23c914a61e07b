#include "supervisor/cli/notify_commands.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/clock.h"
#include "core/json.h"
#include "tests/supervisor/cli/fake_api.h"
#include "tests/supervisor/cli/printed.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

class NotifyCommands : public ::testing::Test {
 protected:
  NotifyCommands() : http_(api_.address(), std::chrono::seconds{5}) {
    std::ofstream(folder_.file("token")) << "0123456789abcdef\n";
    options_.token_file = list_.token_file = folder_.file("token");
  }
  // What was posted last.
  Json posted() {
    const std::string request = api_.last_request();
    return parse_json(request.substr(request.find("\r\n\r\n") + 4)).value_or(Json());
  }

  TemporaryFolder folder_;
  FakeApi api_;
  HttpClient http_;
  NotifyOptions options_;
  NotificationsOptions list_;
};

constexpr const char* overview = R"({"mode":"record","released":2,
  "orders":[{"scope":"silence","id":"q-3","name":"load","key":"a","until":1704074400000000,"why":"disks"},
            {"scope":"channel","name":"spare","mode":"off","until":null,"why":"w"}],
  "channels":[{"name":"oncall","kind":"pager_duty","mode":"on","waiting":1,"sent":2,"failed":3,"trouble":"no answer"}],
  "untold":[{"state":"open","trigger":"load","key":"b","channel":"oncall","opened":1704067200000000,
             "last_sent":null,"newest":"n-0001"}]})";

TEST_F(NotifyCommands, NotifyShowsWhatIsInForce) {
  api_.answers("/v1/notify", overview);
  const auto shown = printed([&] { return notify_command(http_, options_); });
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* words :
       {"mode record\n", "q-3 silence of load/a until 2024-01-01T02:00:00Z, disks\n",
        "channel spare: off, w\n", "oncall", "no answer", "open, and nobody was told", "n-0001"})
    EXPECT_NE(shown.out.find(words), std::string::npos) << words << "\n" << shown.out;
}

TEST_F(NotifyCommands, NotifyGivesAnOrder) {
  api_.answers("/v1/commands/notify", overview);
  options_.mode = "on";
  options_.trigger = "load";
  options_.span = "2h";
  options_.why = "w";
  options_.release = true;
  const auto shown = printed([&] { return notify_command(http_, options_); });
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_TRUE(shown.out.starts_with("2 released\nmode record\n")) << shown.out;
  EXPECT_EQ(posted(), Json({{"mode", "on"},
                            {"channel", ""},
                            {"trigger", "load"},
                            {"for", "2h"},
                            {"why", "w"},
                            {"release", true}}));
  EXPECT_NE(api_.last_request().find("Authorization: Bearer 0123456789abcdef"), std::string::npos);
}

TEST_F(NotifyCommands, SilenceSaysItsIdAndUnsilenceEndsIt) {
  api_.answers("/v1/commands/silence", R"({"id":"q-3","until":1704074400000000})");
  options_.trigger = "load/a";
  options_.span = "2h";
  EXPECT_EQ(printed([&] { return silence_command(http_, options_); }).out,
            "q-3 until 2024-01-01T02:00:00Z\n");
  EXPECT_EQ(posted()["trigger"], "load/a");
  api_.answers("/v1/commands/unsilence", "{}");
  EXPECT_EQ(printed([&] { return unsilence_command(http_, "q-3", options_); }).out,
            "q-3 has ended\n");
  EXPECT_EQ(posted()["id"], "q-3");
}

TEST_F(NotifyCommands, NotificationsAreListedAndShown) {
  const std::string items =
      R"({"items":[{"id":"n-0001","time":1704067200000000,"status":"pending","trigger":"load",)"
      R"("channel":"oncall","key":"b","text":"load is high","reason":"late"}],"next":null})";
  api_.answers("/v1/notifications?limit=5&order=newest&status=pending&trigger=load", items);
  list_.limit = 5;
  list_.status = "pending";
  list_.trigger = "load";
  const auto shown = printed([&] { return notifications_command(http_, list_); });
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* words : {"n-0001", "2024-01-01T00:00:00Z", "load is high", "late"})
    EXPECT_NE(shown.out.find(words), std::string::npos) << shown.out;
  list_.json = true;
  EXPECT_EQ(parse_json(printed([&] { return notifications_command(http_, list_); }).out).value(),
            parse_json(items).value());
  api_.answers("/v1/notifications/n-0001", R"({"id":"n-0001"})");
  list_.action = "show";
  list_.id = "n-0001";
  EXPECT_EQ(printed([&] { return notifications_command(http_, list_); }).out,
            "{\"id\":\"n-0001\"}\n");
}

TEST_F(NotifyCommands, TheNewestComeFirstAndAllCanBeReached) {
  // As many as are asked for, whatever a page holds.
  list_.limit = 3;
  api_.answers("/v1/notifications?limit=3&order=newest",
               R"({"items":[{"id":"n-0009"},{"id":"n-0008"}],"next":8})");
  api_.answers("/v1/notifications?before=8&limit=1&order=newest",
               R"({"items":[{"id":"n-0007"}],"next":7})");
  const auto newest = printed([&] { return notifications_command(http_, list_); });
  EXPECT_EQ(newest.code, 0) << newest.err;
  EXPECT_LT(newest.out.find("n-0009"), newest.out.find("n-0007"));
  EXPECT_EQ(newest.err, "there are more: --before n-0007\n");

  list_.limit = 2'500;
  list_.after = "n-0001";
  list_.since = "2024-01-01T00:00:00Z";
  api_.answers(
      "/v1/notifications?after=n-0001&limit=1000&order=oldest&since=2024-01-01T00%3A00%3A00Z",
      R"({"items":[{"id":"n-0002"}],"next":2})");
  api_.answers("/v1/notifications?after=2&limit=1000&order=oldest&since=2024-01-01T00%3A00%3A00Z",
               R"({"items":[{"id":"n-0003"}],"next":null})");
  list_.json = true;
  const auto after = printed([&] { return notifications_command(http_, list_); });
  EXPECT_EQ(after.out, "{\"items\":[{\"id\":\"n-0002\"},{\"id\":\"n-0003\"}],\"next\":null}\n")
      << after.err;
  list_.before = "n-0007";
  EXPECT_NE(printed([&] { return notifications_command(http_, list_); }).err.find("keep one"),
            std::string::npos);
}

TEST_F(NotifyCommands, OneIsReleasedOrClosed) {
  api_.answers("/v1/commands/release", R"({"status":"waiting"})");
  list_.action = "release";
  list_.id = "n-0001";
  EXPECT_EQ(printed([&] { return notifications_command(http_, list_); }).out,
            "n-0001 is waiting\n");
  api_.answers("/v1/commands/close", R"({"error":"n-0001 is sent already","reason":"conflict"})",
               409);
  list_.action = "close";
  list_.why = "stale";
  const auto refused = printed([&] { return notifications_command(http_, list_); });
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("n-0001 is sent already"), std::string::npos) << refused.err;
  EXPECT_EQ(posted(), Json({{"id", "n-0001"}, {"why", "stale"}}));
}

TEST_F(NotifyCommands, WhatIsAskedWronglyIsSaidWithoutAsking) {
  list_.action = "realease";
  const auto unknown = printed([&] { return notifications_command(http_, list_); });
  EXPECT_NE(unknown.code, 0);
  EXPECT_NE(unknown.err.find("there are list, show, release and close"), std::string::npos);
  list_.action = "release";
  EXPECT_NE(printed([&] { return notifications_command(http_, list_); }).err.find("say which"),
            std::string::npos);
  EXPECT_TRUE(api_.asked().empty());
}

TEST_F(NotifyCommands, IncidentsAreListed) {
  api_.answers("/v1/incidents?closed=true&limit=1000&trigger=load",
               R"({"items":[{"state":"closed","trigger":"load","key":"b","channel":"oncall",)"
               R"("opened":1704067200000000,"last_sent":1704067201000000,"newest":"n-0002"}]})");
  const auto shown = printed([&] { return incidents_command(http_, "load", true, false); });
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* words : {"closed", "2024-01-01T00:00:01Z", "n-0002"})
    EXPECT_NE(shown.out.find(words), std::string::npos) << shown.out;
}

TEST_F(NotifyCommands, AllIncidentsAreListedHoweverManyThereAre) {
  api_.answers("/v1/incidents?limit=1000", R"({"items":[{"newest":"n-0001"}],"next":7})");
  api_.answers("/v1/incidents?after=7&limit=1000",
               R"({"items":[{"newest":"n-0002"}],"next":null})");
  const auto shown = printed([&] { return incidents_command(http_, "", false, true); });
  EXPECT_EQ(shown.out,
            "{\"items\":[{\"newest\":\"n-0001\"},{\"newest\":\"n-0002\"}],\"next\":null}\n")
      << shown.err;
}

TEST_F(NotifyCommands, ATestThatDoesNotArriveIsAFailure) {
  options_.channel = "oncall";
  api_.answers("/v1/commands/notify-test", R"({"verdict":"arrived","answer":"202"})");
  api_.answers("/v1/commands/notify-test", R"({"verdict":"refused","answer":"400 no such key"})");
  const auto arrived = printed([&] { return notify_test_command(http_, options_); });
  EXPECT_EQ(arrived.code, 0) << arrived.err;
  EXPECT_EQ(arrived.out, "arrived: 202\n");
  const auto refused = printed([&] { return notify_test_command(http_, options_); });
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "refused: 400 no such key\n");
}

}  // namespace
}  // namespace hastur
