#pragma once

// Generated scripts for property tests: whatever they do, they must do it everywhere alike. They
// use state tables, constants, instances that are compared, walks, texts, sorting, numbers at
// random, derived messages, notifications, logs, errors, pcall, and now and then a state that is
// none or a loop without end.

#include <fmt/format.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace hastur::testing {

class RandomScript {
 public:
  std::string text() {
    std::string out = R"lua(local ctx = hastur.trigger{ state = { n = 0, list = {}, map = {} } }
local s = ctx.state
local limits = { low = 2, high = 7, names = { "a", "bb", "ccc" } }
local Sum = {}
Sum.__index = Sum
function Sum.new() return setmetatable({ total = 0 }, Sum) end
Sum.__eq = function(a, b) return a.total == b.total end
Sum.__lt = function(a, b) return a.total < b.total end
function Sum:add(n) self.total = self.total + n return self end
local least = Sum.new():add(3)
local function deep(...) s.depth = s.depth + 1 return 1 + deep(...) end
)lua";
    const int callbacks = pick(1, 4);
    for (int i = 0; i < callbacks; ++i) {
      out +=
          fmt::format("ctx:gauges({}, function(msg)\nlocal v, name = msg.value, msg.name\n{}end)\n",
                      one_of({"{}", "{ name = 'host1' }", "{ value = { above = 4 } }"}), block(2));
    }
    const int periods = pick(0, 3);
    for (int i = 0; i < periods; ++i) {
      out += fmt::format(
          "ctx:every('{}', function(tick)\nlocal v, name = tick.missed, 'tick'\n{}end)\n",
          one_of({"second", "5s", "minute"}), block(2));
    }
    return out;
  }

 private:
  static int pick(int from, int end) { return *rc::gen::inRange(from, end); }
  static std::string one_of(const std::vector<std::string>& all) {
    return *rc::gen::elementOf(all);
  }

  std::string block(int depth) {
    std::string out;
    const int statements = pick(1, 5);
    for (int i = 0; i < statements; ++i) out += statement(depth) + "\n";
    return out;
  }

  std::string statement(int depth) {
    const int kind = pick(0, depth > 0 ? 26 : 20);
    switch (kind) {
      case 0:
      case 1:
        return fmt::format("s.n = (s.n + {}) % 100003", number(2));
      case 2:
      case 3:
        return fmt::format("s.map[{}] = {}", word(2), one_of({number(2), word(2), "nil", "true"}));
      case 4:
      case 5:
        return fmt::format(
            "s.list[#s.list + 1] = {} if #s.list > 9 then table.remove(s.list, {}) end", number(2),
            pick(1, 9));
      case 6:
        return one_of({"table.sort(s.list)",
                       "table.sort(s.list, function(a, b) return a % 3 < b % 3 end)",
                       "table.sort(s.list, function(a, b) return a > b end)"});
      case 7:
        return "for k, x in pairs(s.map) do print(k, x) end";
      case 8:
        return "local out = {} for k in pairs(s.map) do out[#out + 1] = k end s.keys = "
               "table.concat(out, '|')";
      case 9:
        return fmt::format("hastur.gauge('d.' .. {}, {}, {{ by = name }})", word(1), number(2));
      case 10:
        return fmt::format("hastur.counter('c', {})", number(1));
      case 11:
        return fmt::format("pager_duty({}, {}, {{ n = {}, limits = limits }}, {{ action = '{}' }})",
                           word(1), word(2), number(1), one_of({"trigger", "resolve"}));
      case 12:
        return fmt::format("print({}, {}, tostring(limits), tostring(s))", word(2), number(2));
      case 13:
        return one_of(
            {"s.draw = math.random(1000)",
             "print(pcall(function() limits.high = limits.high + 1 end))",
             // Of several faults all must tell the same.
             "print(pcall(hastur.gauge, 'g', 1, { b = print, a = {}, c = 0/0 }))",
             "print(pcall(hastur.compound, 'c', { b = print, a = 0/0, c = { d = pcall } }))",
             "print(pcall(slack, 'x', { foo = 1, bar = 2, [true] = 3, [print] = 4 }))",
             "print(pcall(pairs, { [print] = 1, [{}] = 2, a = 3 }))",
             "print(pcall(alertmanager, { [1] = 'x', a = 1, b = ('x'):rep(300000) }))"});
      case 14:
        return fmt::format(fmt::runtime(one_of({"s.sum = Sum.new():add({}):add(v).total",
                                                "s.less = least < Sum.new():add({})",
                                                "s.same = least == Sum.new():add({})"})),
                           number(1));
      case 15:
        return fmt::format("s.text = ({}):gsub('%w', {})", word(2),
                           one_of({"limits", "string.upper", "'<%0>'"}));
      case 16:
        return "for i, x in ipairs(limits.names) do s.map[x] = i * #limits.names end";
      case 17:
        return one_of({"s.bad = print", "s.bad = nil", "s.bad = limits", "s.bad = nil",
                       "s.bad = 0/0", "s.bad = nil", "s.bad = { b = print, a = 0/0, c = limits }",
                       "s.bad = nil"});
      case 18:
        return fmt::format("if v == {} then error('boom ' .. {}) end", pick(0, 10), word(1));
      case 19:
        return fmt::format(
            "if v == {} then {} end", pick(0, 10),
            one_of({"limits.high = 1", "while true do s.n = s.n + 1 end", "error({})",
                    "local x = nil + 1", "s.depth = 0 print(pcall(deep, unpack({}, 1, 50)))",
                    "for i = 1, 60 do slack('flood ' .. i) end",
                    "for i = 1, 3000 do for k in pairs(s.map) do s.n = s.n + 1 end end"}));
      case 20:
      case 21:
        return fmt::format("if {} then\n{}end", condition(), block(depth - 1));
      case 22:
        return fmt::format("for i = 1, {} do\n{}end", pick(1, 4), block(depth - 1));
      case 23:
      case 24:
        return fmt::format("print(pcall(function()\n{}if {} then error({}) end end))",
                           block(depth - 1), condition(), word(1));
      default:
        return fmt::format("local t = {{ {}, {} }} t[#t + 1] = v s.map[name] = #t", number(1),
                           word(1));
    }
  }

  std::string condition() {
    return fmt::format("{} {} {}", number(1), one_of({"<", "==", ">=", "~="}), number(1));
  }

  std::string number(int depth) {
    if (depth == 0 || pick(0, 3) == 0)
      return one_of({"v", "s.n", "#s.list", "limits.high", "3", "0.1"});
    switch (pick(0, 6)) {
      case 0:
        return fmt::format("({} + {})", number(depth - 1), number(depth - 1));
      case 1:
        return fmt::format("({} * {}) % 1009", number(depth - 1), number(depth - 1));
      case 2:
        return fmt::format("math.max({}, {})", number(depth - 1), number(depth - 1));
      case 3:
        return fmt::format("math.floor({} / 3)", number(depth - 1));
      case 4:
        return fmt::format("#{}", word(depth - 1));
      default:
        return fmt::format("(tonumber({}) or 1)", word(depth - 1));
    }
  }

  std::string word(int depth) {
    if (depth == 0 || pick(0, 3) == 0)
      return one_of({"name", "limits.names[2]", "'w'", "type(limits)"});
    switch (pick(0, 6)) {
      case 0:
        return fmt::format("('k' .. ({}) % 5)", number(depth - 1));
      case 1:
        return fmt::format("tostring({})", number(depth - 1));
      case 2:
        return fmt::format("({}):upper()", word(depth - 1));
      case 3:
        return fmt::format("({}):rep(2)", word(depth - 1));
      case 4:
        return fmt::format("({}):sub(-3)", word(depth - 1));
      default:
        return fmt::format("('%s=%g'):format({}, {})", word(depth - 1), number(depth - 1));
    }
  }
};

}  // namespace hastur::testing
