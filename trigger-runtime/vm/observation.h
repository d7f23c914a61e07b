#pragma once

// What callbacks did, line by line: for coverage and explanations, never in production.
//
// Observing changes no result: the instruction budget counts what it counts without it. What is
// kept is bounded; what is beyond is left out and said.
//
//   both, of what was loaded while it was observed: {"waits":[µs, …],"code":{"a.lua":[line, …], …}}
//   lines: {"lines":{"a.lua":[[line, times], …], …}}
//   calls: {"calls":[{"sequence":N,"callback":N,"returned":true,"instructions":N,
//            "before":{state},"after":{state},
//            "steps":[{"line":N,"script":"a.lua","locals":{"name":"value", …},
//                      "state":{"key":"value", …},"effects":N,
//                      "said":[["alert","key",value], …]}, …]},
//            …],
//           "ticks":[{"sequence":N,"before":{state},"after":{state},
//                     "alerts":[{"alert":"rate","key":"api","quiet":"0.08 is not above 0.10"}, …]},
//                    …],
//           "cut":true}
//
// Lines are those of functions; what the file itself runs while it is loaded is none. `code` has
// all that there are. `waits` are the spans of time that the script declared: periods of ctx:every
// and spans of helpers.
//
// A step is a line that ran, with the locals and the keys of the state as they were before it,
// those that changed since the step before (of the state: since the call began), how many effects
// it caused, and what it said to alerts (a value, or null). A state that is no JSON or large is
// left out. After the first steps of a call each line has one more at most, for all that it does
// then, without locals.
//
// Of ticks there are those at which helpers changed the state, or at which it is told anew why the
// alerts' keys are not paged: those that were spoken of since observing began, or are not quiet.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/helper_set.h"
#include "trigger-runtime/vm/lua.h"
#include "trigger-runtime/vm/lua_json.h"

namespace hastur {

class Observation {
 public:
  using What = ObserveCommand::What;

  void observe(What what);
  bool is_on() const { return what_ != What::nothing; }
  // What was seen since the last time.
  std::string take();

  // Around each callback; ctx.state stands on the stack at its place (vm.h).
  void begin_call(lua_State* lua, Sequence sequence, std::uint32_t callback);
  void end_call(lua_State* lua, bool returned, std::uint64_t instructions);
  // Around a tick of a trigger that has helpers, with its deadlines, calls and pages.
  void begin_tick(lua_State* lua);
  // `fault` is why the state failed its judgement there and the pages fell; empty: it did not.
  void end_tick(lua_State* lua, std::span<const HelperSet::Page> pages, std::string_view fault);
  // In a call: what was said to an alert. `value` is JSON, or empty.
  void note_alert(const std::string& alert, std::string_view key, std::string_view value);
  // A file was loaded whose functions have code on these lines.
  void note_code(const std::string& script, const std::vector<std::uint32_t>& lines);
  // A script was loaded that declares these spans.
  void note_waits(const std::vector<Micros>& spans);
  // A line is about to run.
  void at_line(lua_State* lua, lua_Debug* at);

 private:
  Json state(lua_State* lua);
  void note_locals(lua_State* lua, lua_Debug* at, Json& step);
  // Of a state of a few keys; `step` is null for those that the call begins with.
  void note_state(lua_State* lua, Json* step);
  std::string shown(lua_State* lua, int index);
  void note_effects(std::size_t effects);
  std::size_t later_step(const std::string& script, int line);
  Json quiet_alerts(lua_State* lua, std::span<const HelperSet::Page> pages,
                    std::string_view fault) const;

  What what_ = What::nothing;
  // By script and line.
  std::map<std::pair<std::string, int>, std::uint64_t> lines_;
  Json code_;
  Json waits_;
  Json calls_ = Json::array();
  // Of the call under way, and the locals as they last were.
  Json call_;
  std::map<std::string, std::string> locals_;
  std::map<std::string, std::string, std::less<>> state_keys_;
  std::size_t effects_ = 0;
  std::size_t step_ = 0;
  // By what the VM calls a script, and line: where what is done there belongs, once a call has all
  // its steps.
  std::map<std::pair<const void*, int>, std::size_t> later_;
  Json ticks_ = Json::array();
  Json before_tick_;
  // By alert and key.
  std::map<std::pair<std::string, std::string>, std::string> said_;
  Json told_alerts_;
  std::size_t bytes_ = 0;
  bool cut_ = false;
  LuaJsonWriter writer_;
};

}  // namespace hastur
