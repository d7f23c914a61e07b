#include "supervisor/platform_watch.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "state/checkpoint_store.h"

namespace hastur {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time start{seconds{1'704'067'200}};
constexpr Time long_since = start - hours{1};

std::string told(const std::vector<NotificationRecord>& records) {
  std::string all;
  for (const NotificationRecord& record : records) {
    const Json payload = parse_json(record.payload).value();
    const bool over = payload["options"].contains("action");
    EXPECT_EQ(record.trigger, platform_name);
    EXPECT_EQ(payload["kind"], "platform");
    if (over) {
      EXPECT_EQ(payload["options"]["action"], "resolve");
    }
    all += (over ? "-" : "+") + payload["key"].get<std::string>() + " ";
  }
  return all;
}

TEST(PlatformWatch, TellsOnceOfWhatHasStoodForAMinuteAndOnceThatItIsOver) {
  PlatformWatch watch;
  const std::vector<PlatformTrouble> wrong = {{"syndicator", "it does not answer", start}};
  EXPECT_EQ(told(watch.look(wrong, start)), "");
  EXPECT_EQ(told(watch.look(wrong, start + seconds{59})), "");
  EXPECT_EQ(told(watch.look(wrong, start + seconds{60})), "+syndicator ");
  EXPECT_EQ(told(watch.look(wrong, start + hours{5})), "");
  EXPECT_EQ(told(watch.look({}, start + hours{6})), "");
  const auto over = watch.look({}, start + hours{6} + minutes{1});
  EXPECT_EQ(told(over), "-syndicator ");
  EXPECT_EQ(parse_json(over[0].payload).value()["text"], "Over: it does not answer");
  EXPECT_EQ(told(watch.look({}, start + hours{7})), "");
}

TEST(PlatformWatch, ATroubleThatComesAndGoesIsOneIncident) {
  PlatformWatch watch;
  EXPECT_EQ(told(watch.look({{"behind", "2 are", long_since}}, start)), "+behind ");
  for (int i = 1; i < 10; ++i) {
    const Time now = start + seconds{50} * i;
    EXPECT_EQ(told(watch.look({}, now)), "");
    EXPECT_EQ(told(watch.look({{"behind", "3 are", now}}, now + seconds{40})), "");
  }
}

TEST(PlatformWatch, TroublesDoNotWaitForEachOther) {
  PlatformWatch watch;
  EXPECT_EQ(told(watch.look({{"channel/a", "…", long_since}, {"lost", "…", long_since}}, start)),
            "+channel/a +lost ");
  EXPECT_EQ(told(watch.look({{"channel/a", "…", long_since}}, start + minutes{10})), "");
  EXPECT_EQ(told(watch.look({{"channel/a", "…", long_since}}, start + minutes{11})), "-lost ");
}

TEST(PlatformWatch, AfterAStartItKnowsWhatSomebodyWasToldOf) {
  const auto store = make_memory_store();
  PlatformWatch before;
  CommitBatch batch;
  for (NotificationRecord& record : before.look(
           {{"channel/a", "it is dead", long_since}, {"lost", "it is gone", long_since}}, start)) {
    read_payload(record);
    // Of the other nobody was told.
    if (record.key == "channel/a") record.status = NotificationStatus::waiting;
    batch.notifications.push_back(std::move(record));
  }
  ASSERT_TRUE(store->commit(batch));

  PlatformWatch watch;
  ASSERT_TRUE(watch.start(*store));
  EXPECT_EQ(told(watch.look({{"channel/a", "it is dead", long_since}}, start)), "");
  EXPECT_EQ(told(watch.look({}, start + minutes{1})), "");
  EXPECT_EQ(told(watch.look({}, start + minutes{2})), "-channel/a ");
}

}  // namespace
}  // namespace hastur
