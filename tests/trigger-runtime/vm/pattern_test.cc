// Patterns and the other text functions, compared with what stock LuaJIT says.

#include <rapidcheck.h>

#include "core/json.h"
#include "tests/trigger-runtime/vm/test_trigger.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur::testing {
namespace {

// Runs `body`, which sets `out`, in stock LuaJIT and in the sandbox; both texts, "error" for what
// raised.
std::pair<std::string, std::string> both(const std::string& body) {
  const std::string guarded = "local out\nlocal ok = pcall(function() " + body +
                              " end)\nout = ok and tostring(out) or 'error'\n";
  lua_State* lua = luaL_newstate();
  luaL_openlibs(lua);
  std::string stock = "no chunk";
  if (luaL_loadstring(lua, (guarded + "return out").c_str()) == 0 && lua_pcall(lua, 0, 1, 0) == 0) {
    stock = text_at(lua, -1);
  }
  lua_close(lua);
  TestTrigger trigger("local ctx = hastur.trigger{}\nctx:gauges({}, function()\n" + guarded +
                      "print(out)\nend)");
  Stream stream;
  stream.gauge(0.1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.effects.empty()) return {stock, "no effect"};
  return {stock, parse_json(progress.effects[0].payload).value()["text"].get<std::string>()};
}

constexpr const char* join_all =
    "local function join(...) local t = { ... } for i = 1, select('#', ...) do t[i] = "
    "tostring(t[i]) end return table.concat(t, '|') end ";

TEST(Pattern, SaysWhatStockLuaSays) {
  for (const char* call : {
           "('hello world'):find('o w')",
           "('hello world'):find('o', 6)",
           "('hello'):find('l+')",
           "('hello'):find('')",
           "('hello'):find('', 10)",
           "('hello'):find('', 6)",
           "('a.b'):find('.', 1, true)",
           "('a.b'):find('%.')",
           "('hello'):find('xyz')",
           "('hello'):find('(l)(l)')",
           "('hello'):match('h(.-)o')",
           "('key = value'):match('^(%w+)%s*=%s*(%w+)$')",
           "('2024-01-02'):match('(%d+)-(%d+)-(%d+)')",
           "('hello'):match('()ll()')",
           "('[[x]]'):match('%[(%b[])%]')",
           "('THE (quick) fox'):find('%((%a+)%)')",
           "('f(a(b)c)d'):match('%b()')",
           "('abcabc'):match('(abc)%1')",
           "('  trim  '):match('^%s*(.-)%s*$')",
           "('THE (quick) fox'):gsub('%f[%a]%a+', '<%0>')",
           "('hello'):gsub('l', 'L')",
           "('hello'):gsub('l', 'L', 1)",
           "('hello'):gsub('', '-')",
           "('abc'):gsub('%w', '%0%0')",
           "('abc'):gsub('(a)(b)', '%2%1')",
           "('abc'):gsub('b', { b = 'X' })",
           "('abc'):gsub('(b)', { b = false })",
           "('abc'):gsub('.', function(c) if c == 'b' then return 'B' end end)",
           "('abc'):gsub('b', '%%')",
           "('abc'):gsub('b', '%9')",
           "('a,b,,c'):gsub(',', ';')",
           "('abc'):gsub('^a', 'x')",
           "('aaa'):gsub('^a', 'x')",
           "('abc'):gsub('c$', 'x')",
           "('a$c'):gsub('$c', 'x')",
           "('x^y'):find('x^y')",
           "('abc'):match('[a-b]+')",
           "('a-b'):match('[a%-]+')",
           "('a]b'):match('[]]')",
           "('a]b'):match('[^]]+')",
           "('ab'):match('a?b?c?')",
           "('aaa'):match('a-')",
           "('aaab'):match('a-b')",
           "('a\\0b'):match('%z')",
           "('x'):match('[')",
           "('x'):match('%')",
           "('x'):match('(')",
           "('x'):match(')')",
           "('x'):match('%1')",
           "('x'):match('()%1')",
           "('x'):match('()%1?')",
           "('x'):match('(x%1)')",
           "('x'):match('%b')",
           "('x'):match('%f')",
           "('x'):match('[a-')",
           "('x'):match('[%')",
           "('x'):rep(3)",
           "('abc'):upper()",
           "('aBc'):lower()",
           "('abc'):reverse()",
           "('%5.2f|%-5d|%05d|%x|%q|%s|%c|%%'):format(3.14159, 42, 42, 255, 'a\\nb', 'x', 65)",
           "('%d'):format('x')",
           "('%s'):format()",
           "('%10s|%-10s|%.2s'):format('abc', 'abc', 'abc')",
           "('%s %s'):format(nil, true)",
           "table.concat({ 1, 2, 'x' }, ', ')",
           "table.concat({ 1, 2, 3 }, '-', 2, 3)",
           "table.concat({ 1, {}, 3 })",
           "table.concat({}, 'x')",
           "table.concat({ 1, 2 }, ',', 1, 5)",
           "('abc'):find('b', -1)",
           "('abc'):find('b', -2)",
           "('abc'):find('b', -20)",
           "('abc'):match('.', 3)",
       }) {
    const auto [stock, ours] = both(std::string(join_all) + "out = join(" + call + ")");
    EXPECT_EQ(stock, ours) << call;
  }
}

TEST(Pattern, GmatchWalksAllMatches) {
  for (const char* loop :
       {"for w in ('one two  three'):gmatch('%a+') do out = (out or '') .. w .. ';' end",
        "for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do out = (out or '') .. k .. v .. ';' end",
        "for p in ('abc'):gmatch('()') do out = (out or '') .. p .. ';' end",
        "for w in ('abc'):gmatch('x*') do out = (out or '') .. '<' .. w .. '>' end"}) {
    const auto [stock, ours] = both(loop);
    EXPECT_EQ(stock, ours) << loop;
  }
}

TEST(Pattern, AgreesWithStockLuaOnGeneratedPatterns) {
  EXPECT_TRUE(rc::check([] {
    const auto text =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("aabbcx12 .-")));
    std::string pattern;
    const int items = *rc::gen::inRange(1, 6);
    for (int i = 0; i < items; ++i) {
      pattern += *rc::gen::elementOf(
          std::vector<std::string>{"a", "b", ".", "%d", "%a", "[ab]", "[^a]", "(a)", "(.-)", "()",
                                   "%s", "%.", "(b", ")", "%1", "%f[a]", "^", "$"});
      pattern += *rc::gen::elementOf(std::vector<std::string>{"", "", "*", "+", "-", "?"});
    }
    RC_PRE(text.size() < 30);
    for (const char* form :
         {"join((%q):find(%q))", "join((%q):match(%q))", "join((%q):gsub(%q, '<%%0>'))"}) {
      lua_State* lua = luaL_newstate();
      luaL_openlibs(lua);
      lua_getglobal(lua, "string");
      lua_getfield(lua, -1, "format");
      push_text(lua, form);
      push_text(lua, text);
      push_text(lua, pattern);
      lua_call(lua, 3, 1);
      const std::string call(text_at(lua, -1));
      lua_close(lua);
      const auto [stock, ours] = both(std::string(join_all) + "out = " + call);
      if (stock != ours) RC_LOG() << call << ": stock " << stock << ", ours " << ours;
      RC_ASSERT(stock == ours);
    }
  }));
}

}  // namespace
}  // namespace hastur::testing
