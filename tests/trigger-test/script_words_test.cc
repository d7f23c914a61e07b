#include "trigger-test/script_words.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

using namespace std::chrono_literals;

ScriptWords words(const std::string& text) {
  TriggerFiles trigger;
  trigger.script = {"t.lua", text};
  return words_of(trigger);
}

TEST(ScriptWords, NumbersAreThoseOfTheCodeAndNotOfComments) {
  EXPECT_EQ(words("-- 7\nif x > 90.5 or x < -3 then y = x - 2 end -- 8").numbers,
            (std::vector<double>{-3, 2, 90.5}));
  EXPECT_EQ(words("local size = 4 * 1024").numbers, (std::vector<double>{4, 1024, 4096}));
}

TEST(ScriptWords, SpansAreTextsPeriodsAndMicroseconds) {
  const ScriptWords found =
      words("ctx:every('minute') local a, b = hastur.us('30s'), 10 * 1000000 local at = '07:30'");
  EXPECT_EQ(found.spans, (std::vector<Micros>{1s, 10s, 30s, 1min, 24h}));
  EXPECT_EQ(found.times_of_day, (std::vector<Micros>{7h + 30min}));
}

TEST(ScriptWords, LabelsThatAreComparedOrCalculatedCount) {
  const ScriptWords found = words(R"(
    print(msg.labels.app .. msg.labels["zone"])
    if msg.labels.status >= 500 then x = 1 + m.labels.bytes end
    if msg.labels.port == 80 then end
    if msg.labels.name == "x" then end)");
  EXPECT_EQ(found.labels,
            (std::vector<std::string>{"app", "bytes", "name", "port", "status", "zone"}));
  EXPECT_EQ(found.counted_labels, (std::vector<std::string>{"bytes", "port", "status"}));
}

TEST(ScriptWords, FieldsAreThoseOfMessagesOnly) {
  const ScriptWords found = words(R"(
    local function on_log(entry) print(entry.subject) end
    ctx:logs({ subject = { "a", "b" } }, on_log)
    ctx:gauges({ name = "g" }, function(m) table.sort(l, function(a, b) return a.x > b.x end)
      print(m.duration .. m.host) end)
    ctx:every("minute", function(tick) print(tick.time) end))");
  EXPECT_EQ(found.fields, (std::vector<std::string>{"duration", "host", "subject"}));
}

TEST(ScriptWords, TextsBelongToWhatTheyAreComparedWith) {
  const ScriptWords found = words(R"(
    local owners = { web = "ann", ["db"] = "bob" }
    ctx:events({}, function(msg)
      local zone = msg.labels["zone"]
      if msg.name == "deploy" or "a" ~= msg.labels.tier then end
      if zone == "eu" or msg.subject:find("down", 1, true) then end
      if string.match(msg.body, "up") or msg.labels["app"] == "shop" then end
    end))");
  EXPECT_EQ(found.field_texts,
            (ScriptWords::Texts{{"body", {"up"}}, {"name", {"deploy"}}, {"subject", {"down"}}}));
  EXPECT_EQ(found.label_texts,
            (ScriptWords::Texts{{"app", {"shop"}}, {"tier", {"a"}}, {"zone", {"eu"}}}));
  EXPECT_EQ(found.keys, (std::vector<std::string>{"web"}));
  EXPECT_EQ(found.aliases.at("zone"), "labels.zone");
}

TEST(ScriptWords, KnowWhatIsLookedUpAndWhereElseAFieldStands) {
  const ScriptWords found = words(R"(
    ctx:gauges({}, function(msg)
      local shard = msg.labels.shard
      slack(names[shard + 1] .. list[math.floor(msg.value)] .. msg.labels["zone"])
      local it = { what = msg.subject, n = 1 }
      it.zone = msg.labels.zone
    end))");
  EXPECT_EQ(found.places, (std::vector<std::string>{"labels.shard", "value"}));
  EXPECT_EQ(found.entries.at("what"), "subject");
  EXPECT_EQ(found.entries.at("zone"), "labels.zone");
  EXPECT_FALSE(found.aliases.contains("what"));
}

TEST(ScriptWords, OfLibrariesThatAreNamed) {
  TriggerFiles trigger;
  trigger.script = {"t.lua", "local a = require 'lib.a'"};
  trigger.libraries = {{"lib/a.lua", "return 17"}, {"lib/b.lua", "return 18"}};
  EXPECT_EQ(words_of(trigger).numbers, (std::vector<double>{17}));
}

TEST(ScriptWords, ALineIsFoundByItsNumber) {
  TriggerFiles trigger;
  trigger.script = {"t.lua", "one\n  two  \n"};
  trigger.libraries = {{"lib/a.lua", "three"}};
  EXPECT_EQ(source_line(trigger, "t.lua", 2), "two");
  EXPECT_EQ(source_line(trigger, "lib/a.lua", 1), "three");
  EXPECT_EQ(source_line(trigger, "t.lua", 9), "");
  EXPECT_EQ(source_line(trigger, "t.lua", 0), "");
  EXPECT_EQ(source_line(trigger, "none.lua", 1), "");
}

}  // namespace
}  // namespace hastur
