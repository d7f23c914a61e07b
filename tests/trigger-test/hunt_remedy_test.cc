#include "trigger-test/hunt_remedy.h"

#include <gtest/gtest.h>

#include "trigger-test/hunt_unset.h"

namespace hastur {
namespace {

TriggerFiles trigger(const std::string& script) {
  TriggerFiles files;
  files.script = {"t.lua", script};
  return files;
}

// What is told of `text` at this line of the script.
std::string remedy(const std::string& script, std::uint32_t line, const std::string& text,
                   const Json& message, std::vector<FailedCall::Ran> ran = {}) {
  const TriggerFiles files = trigger(script);
  CallError error;
  error.kind = CallError::Kind::raised;
  error.error.text = text;
  FailedCall call;
  call.message = message;
  call.line = source_line(files, "t.lua", line);
  call.ran = std::move(ran);
  return remedy_of(error, call, words_of(files), files);
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST(HuntRemedy, AFieldThatIsNullIsReadAsNilUnlessItsTypeKnowsNull) {
  const std::string script = "ctx:events({}, function(m) slack(m.subject) end)";
  const std::string told = remedy(script, 1, "slack: the text must be a string, got nil",
                                  {{"type", "event"}, {"name", "e"}, {"subject", nullptr}});
  EXPECT_TRUE(has(told, "need not have the field 'subject'")) << told;
  EXPECT_FALSE(has(told, "hastur.null")) << told;
  const std::string of_mark = remedy("ctx:marks({}, function(m) slack(m.value) end)", 1,
                                     "slack: the text must be a string, got hastur.null",
                                     {{"type", "mark"}, {"name", "m"}, {"value", nullptr}});
  EXPECT_TRUE(has(of_mark, "msg.value ~= hastur.null")) << of_mark;
}

// What the line says besides is not what failed.
TEST(HuntRemedy, IsOfTheFieldThatTheErrorNames) {
  const Json counter = {{"type", "counter"}, {"name", "c"}};
  const std::string other =
      remedy("local sums = {}\nctx:counters({}, function(m) sums.total = sums.total + m.value end)",
             2, "attempt to perform arithmetic on field 'total' (a nil value)", counter);
  EXPECT_FALSE(has(other, "'value'")) << other;
  const std::string guarded =
      remedy("ctx:errors({}, function(m) list[m.class or \"?\"].n = 1 end)", 1,
             "attempt to index field '?' (a nil value)", {{"type", "error"}});
  EXPECT_FALSE(has(guarded, "'class'")) << guarded;
  // It may have got another name on its way.
  const std::string entry =
      remedy("ctx:events({}, function(m) local it = { s = m.subject }\nslack(it.s .. \"\") end)", 2,
             "attempt to concatenate field 's' (a nil value)", {{"type", "event"}});
  EXPECT_TRUE(has(entry, "'subject'")) << entry;
}

// Absent, it is 1.
TEST(HuntRemedy, TheValueOfACounterIsNeverMissing) {
  const std::string told =
      remedy("ctx:counters({}, function(m) local n = f(m.value) + g() end)", 1,
             "attempt to perform arithmetic on a nil value", {{"type", "counter"}});
  EXPECT_FALSE(has(told, "'value'")) << told;
}

TEST(HuntRemedy, ALabelThatIsNoPlaceInAListIsTold) {
  const std::string script =
      "ctx:gauges({}, function(m) slack(\"to \" .. names[m.labels.shard + 1]) end)";
  const auto told = [&](const Json& shard) {
    return remedy(script, 1, "attempt to concatenate a nil value",
                  {{"type", "gauge"}, {"labels", {{"shard", shard}}}});
  };
  EXPECT_TRUE(has(told(2.5), "the label 'shard' may be 2.5")) << told(2.5);
  EXPECT_TRUE(has(told(2.5), "math.floor(msg.labels.shard)")) << told(2.5);
  EXPECT_TRUE(has(told(7), "the label 'shard' may be 7")) << told(7);
}

TEST(HuntRemedy, ANumberThatIsNoneIsLookedForWhereItWasMade) {
  const std::string text = "hastur.gauge: the value is not finite";
  const auto told = [&](const std::string& line, std::vector<FailedCall::Ran> ran) {
    return remedy(line, 1, text, Json(), std::move(ran));
  };
  const FailedCall::Ran divides{"lib/q.lua:9", "return a / b"};
  EXPECT_TRUE(has(told("hastur.gauge('a/b', q.ratio(a, b))", {divides}), "lib/q.lua:9"));
  EXPECT_FALSE(has(told("hastur.gauge('n', n / all)", {divides}), "lib/q.lua:9"));
  EXPECT_TRUE(has(told("hastur.gauge('n', n * n)", {divides}), "bound what is"));
  const FailedCall::Ran by_number{"lib/q.lua:9", "return a / 60"};
  EXPECT_TRUE(has(told("hastur.gauge('n', f(n))", {by_number}), "bound what is"));
}

TEST(HuntUnset, SaysWhatTheStateBeginsWith) {
  const std::string script =
      "local ctx = hastur.trigger{ state = { known = {} } }\nlocal s = ctx.state\n"
      "local h = ctx.state.hosts[m.host]\nlocal n = ctx.state.count\n";
  const auto told = [&](const char* text, const char* line) {
    return remedy_of_unset(trigger(script), text, line, {{"type", "gauge"}});
  };
  const char* const total = "attempt to perform arithmetic on field 'total' (a nil value)";
  EXPECT_TRUE(has(told(total, "s.total = s.total + 1"), "state = { total = 0 }"));
  EXPECT_TRUE(has(told(total, "x = ctx.state.by.total + 1"), "write (ctx.state.by.total or 0)"));
  EXPECT_TRUE(has(told("attempt to concatenate field 'text' (a nil value)", "'x' .. s.text"),
                  "state = { text = \"\" }"));
  EXPECT_TRUE(has(told("attempt to index field '?' (a nil value)", "ctx.state.known[m.host].n = 1"),
                  "ctx.state.known[m.host] = ctx.state.known[m.host] or {}"));
  EXPECT_TRUE(has(told("attempt to index local 'h' (a nil value)", "h.n = 1"),
                  "ctx.state.hosts[m.host] or {}"));
  EXPECT_TRUE(has(told("attempt to perform arithmetic on upvalue 'n' (a nil value)", "n + 1"),
                  "state = { count = 0 }"));
  EXPECT_TRUE(has(told("bad argument #1 to 'pairs' (table expected, got nil)",
                       "for k in pairs(ctx.state.list) do"),
                  "state = { list = {} }"));
  EXPECT_TRUE(
      has(told("attempt to compare nil with number", "if m.value > s.most then"), "(s.most or 0)"));
}

TEST(HuntUnset, SaysNothingOfWhatIsThereOrIsNoState) {
  const std::string script = "local ctx = hastur.trigger{ state = { known = {}, n = 0 } }\n";
  const auto told = [&](const char* text, const char* line) {
    return remedy_of_unset(trigger(script), text, line, {{"type", "event"}, {"name", "e"}});
  };
  EXPECT_EQ(told("attempt to index field 'known' (a nil value)", "ctx.state.known.a = 1"), "");
  EXPECT_EQ(told("attempt to index field 'other' (a nil value)", "it.other.a = 1"), "");
  EXPECT_EQ(told("attempt to index field 'last' (a number value)", "ctx.state.last.a = 1"), "");
  // The message has none, either.
  EXPECT_EQ(told("attempt to concatenate field 'subject' (a nil value)",
                 "ctx.state.subject = 'a' .. m.subject"),
            "");
}

}  // namespace
}  // namespace hastur
