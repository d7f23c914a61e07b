#include "supervisor/http/stats.h"
#include "core/json.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t t0 = 1'704'067'200'000'000;

struct StatsTest : testing::Test {
  void add(std::string_view name, double value, std::int64_t at_us,
           MessageType type = MessageType::gauge,
           std::string_view uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2") {
    MessageView message;
    message.type = type;
    message.name = name;
    message.value = Value::of(value);
    message.timestamp = time_from_us(t0 + at_us);
    message.received_at = message.timestamp;
    message.uuid = uuid;
    builder.add(message);
  }
  std::string folded(Fold fold, std::string_view uuid = "") {
    StatsQuery query{
        "load", std::string(uuid), time_from_us(t0), time_from_us(t0 + 30'000'000), 10s, fold};
    Stats stats(query);
    if (batch.body.empty()) batch = builder.finish(StreamId{}, Sequence{1}, Time{});
    const auto view = BatchView::open(batch.header, batch.body);
    stats.add(view.value());
    std::string values;
    const Json json = stats.to_json();
    for (const Json& point : json["points"]) values += canonical_json(point[1]) + " ";
    return values;
  }
  BatchBuilder builder;
  Batch batch;
};

TEST_F(StatsTest, FoldsTheNumbersOfEachStep) {
  add("load", 1, 0);
  add("load", 5, 9'999'999);
  add("other", 100, 1);
  add("load", 7, 20'000'000);
  add("load", 9, 30'000'000);  // beyond the end
  EXPECT_EQ(folded(Fold::mean), "3 null 7 ");
  EXPECT_EQ(folded(Fold::min), "1 null 7 ");
  EXPECT_EQ(folded(Fold::max), "5 null 7 ");
  EXPECT_EQ(folded(Fold::sum), "6 0 7 ");
  EXPECT_EQ(folded(Fold::count), "2 0 1 ");
  EXPECT_EQ(folded(Fold::last), "5 null 7 ");
}

TEST_F(StatsTest, TakesTheLastByTimeNotByArrival) {
  add("load", 5, 8'000'000);
  add("load", 1, 2'000'000);
  EXPECT_EQ(folded(Fold::last), "5 null null ");
}

TEST_F(StatsTest, TakesGaugesAndCountersOfOneSenderIfAsked) {
  add("load", 5, 0, MessageType::counter);
  add("load", 9, 0, MessageType::gauge, "11111111-708c-012f-e468-64ce8f3a9dc2");
  EXPECT_EQ(folded(Fold::sum, "8e58af00-708c-012f-e468-64ce8f3a9dc2"), "5 0 0 ");
}

}  // namespace
}  // namespace hastur
