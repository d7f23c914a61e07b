// ctx:migrate and ctx:was: the state and the name of before.

#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {
namespace {

const Memory old_memory{Sequence{40}, at_second(5), R"({"list":[1,2],"n":3})",
                        R"({"judged_at":1704067205000000,"last_tick":1704067205000000})"};

LoadCommand migration(const std::string& script) {
  TriggerOptions options;
  options.memory = old_memory;
  LoadCommand command = load_command(script, options);
  command.migrate_from = "v1";
  return command;
}

// The migrated state, or the error with its line.
std::string migrated(const std::string& body) {
  const auto loaded = ScriptVm::load(
      migration("local ctx = hastur.trigger{ state = { fresh = true } }\nlocal steps = { 1 }\n"
                "ctx:gauges({}, function(msg) ctx.state.n = ctx.state.n + 1 end)\n"
                "ctx:migrate(function(state, version)\n" +
                body + "\nend)\n"));
  if (const auto* failed = std::get_if<LoadFailed>(&loaded))
    return fmt::format("{}:{}: {}", failed->error.script, failed->error.line, failed->error.text);
  return std::get<0>(loaded)->loaded().migrated.value_or("nothing");
}

TEST(Migrate, MakesTheNewStateOfTheOldOne) {
  EXPECT_EQ(migrated("return { n = state.n + #state.list, from = version }"),
            R"({"from":"v1","n":5})");
  EXPECT_EQ(migrated("state.n = 4 state.list = nil return state"), R"({"n":4})");
  EXPECT_EQ(migrated("local t = {} for k, v in pairs(state) do t[k] = type(v) end return t"),
            R"({"list":"table","n":"number"})");
}

TEST(Migrate, IsWhereTheTriggerGoesOn) {
  auto loaded = ScriptVm::load(migration(R"lua(
local ctx = hastur.trigger{}
local state = ctx.state
ctx:gauges({}, function(msg) state.n = state.n + 1 end)
ctx:migrate(function(state) return { n = state.n * 10 } end)
)lua"));
  auto& vm = *std::get<0>(loaded);
  EXPECT_EQ(vm.loaded().migrated, R"({"n":30})");
  const Judged judged = vm.judge(Sequence{40}, at_second(5));
  EXPECT_EQ(judged.memory.state, R"({"n":30})");
  EXPECT_NE(judged.memory.runtime.find("last_tick"), std::string::npos)
      << "the clock of ctx:every goes on";
}

TEST(Migrate, RunsOnlyWhereItIsDue) {
  const std::string script = R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:migrate(function(state) error("not due") end)
)lua";
  EXPECT_EQ(load_error(script).text, "");
  TriggerOptions options;
  options.memory = old_memory;
  TestTrigger restored(script, options);
  ASSERT_TRUE(restored.is_loaded());
  EXPECT_EQ(restored.vm().loaded().migrated, std::nullopt);
  // A version without ctx:migrate takes the state as it is.
  const auto plain = ScriptVm::load(migration("hastur.trigger{}"));
  EXPECT_EQ(std::get<0>(plain)->loaded().migrated, std::nullopt);
  EXPECT_EQ(std::get<0>(plain)->judge(Sequence{40}, at_second(5)).memory.state, old_memory.state);
}

TEST(Migrate, FaultsAreLoadErrorsWithTheirLine) {
  EXPECT_EQ(migrated("\nerror('cannot')"), "billing/load.lua:6: cannot");
  EXPECT_EQ(migrated("return state.none.x").substr(0, 46),
            "billing/load.lua:5: attempt to index field 'no");
  EXPECT_EQ(migrated("return { f = print }"),
            "billing/load.lua:4: the result of ctx:migrate.f is a function");
  EXPECT_EQ(migrated(""), "billing/load.lua:4: the result of ctx:migrate must be a table, got nil");
  EXPECT_EQ(migrated("return 'x'"),
            "billing/load.lua:4: the result of ctx:migrate must be a table, got a string");
  EXPECT_EQ(migrated("return { 1, 2 }"),
            "billing/load.lua:4: the result of ctx:migrate is a list: its own keys must "
            "be strings");
  EXPECT_EQ(migrated("while true do end"),
            "billing/load.lua:5: more than 5000000 instructions in one call");
  EXPECT_EQ(migrated("pcall(function() while true do end end)"),
            "billing/load.lua:5: more than 5000000 instructions in one call");
  EXPECT_NE(migrated("return { s = ('x'):rep(2000000) }").find("larger than 1048576 bytes"),
            std::string::npos);
}

TEST(Migrate, SeesAndDoesNothingButItsWork) {
  EXPECT_NE(migrated("hastur.gauge('g', 1)").find("only in a callback"), std::string::npos);
  EXPECT_NE(migrated("print('x')").find("only in a callback"), std::string::npos);
  EXPECT_NE(migrated("return { t = hastur.now() }").find("only in a callback"), std::string::npos);
  EXPECT_NE(migrated("return { n = ctx.state.n }").find("ctx.state has no content"),
            std::string::npos);
  EXPECT_NE(migrated("ctx:gauges({}, print)").find("only while the script is loaded"),
            std::string::npos);
  EXPECT_NE(
      migrated("steps[1] = 2 return state").find("billing/load.lua:5: the table 'steps' was made"),
      std::string::npos);
}

TEST(Migrate, IsDeclaredOnce) {
  EXPECT_NE(
      load_error("local ctx = hastur.trigger{}\nctx:migrate(5)").text.find("takes a function"),
      std::string::npos);
  const ScriptError twice =
      load_error("local ctx = hastur.trigger{}\nctx:migrate(print)\nctx:migrate(print)");
  EXPECT_EQ(twice.line, 3u);
  EXPECT_NE(twice.text.find("was called before"), std::string::npos);
}

TEST(Was, CarriesTheFormerNames) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{} ctx:was('billing/old') ctx:was('older') "
      "ctx:was('billing/old')");
  EXPECT_EQ(trigger.vm().loaded().was, (std::vector<std::string>{"billing/old", "older"}));
  const auto wrong = [](const std::string& call) {
    return load_error("local ctx = hastur.trigger{}\n" + call).text;
  };
  EXPECT_NE(wrong("ctx:was(5)").find("the former name must be a string"), std::string::npos);
  EXPECT_NE(wrong("ctx:was('')").find("not a name"), std::string::npos);
  EXPECT_NE(wrong("ctx:was('billing/load')").find("not a name"), std::string::npos);
  EXPECT_NE(wrong("for i = 1, 101 do ctx:was('n' .. i) end").find("more than 100"),
            std::string::npos);
  EXPECT_NE(run_body("ctx:was('x')").find("only while the script is loaded"), std::string::npos);
}

}  // namespace
}  // namespace hastur::testing
