#pragma once

// What callbacks did, line by line: for coverage and explanations, never in production.
//
// Observing changes no result: the instruction budget counts what it counts without it. What is
// kept is bounded; what is beyond is left out and said.
//
//   lines: {"lines":{"a.lua":[[line, times], …], …}}
//   calls: {"calls":[{"sequence":N,"callback":N,"returned":true,"instructions":N,
//            "before":{state},"after":{state},
//            "steps":[{"line":N,"script":"a.lua","locals":{"name":"value", …},"effects":N}, …]},
//            …],
//           "cut":true}
//
// A step is a line that ran, with the locals as they were before it, those that changed since the
// step before, and how many effects it caused. A state that is no JSON or large is left out.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/json.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/lua.h"
#include "trigger-runtime/vm/lua_json.h"

namespace hastur {

class Observation {
 public:
  using What = ObserveCommand::What;

  void observe(What what) { what_ = what; }
  bool is_on() const { return what_ != What::nothing; }
  // What was seen since the last time.
  std::string take();

  // Around each callback; ctx.state stands on the stack at its place (vm.h).
  void begin_call(lua_State* lua, Sequence sequence, std::uint32_t callback);
  void end_call(lua_State* lua, bool returned, std::uint64_t instructions);
  // A line is about to run.
  void at_line(lua_State* lua, lua_Debug* at);

 private:
  Json state(lua_State* lua);
  void note_locals(lua_State* lua, lua_Debug* at, Json& step);
  std::string shown(lua_State* lua, int index);
  void note_effects(std::size_t effects);

  What what_ = What::nothing;
  // By script and line.
  std::map<std::pair<std::string, int>, std::uint64_t> lines_;
  Json calls_ = Json::array();
  // Of the call under way, and the locals as they last were.
  Json call_;
  std::map<std::string, std::string> locals_;
  std::size_t effects_ = 0;
  std::size_t bytes_ = 0;
  bool cut_ = false;
  LuaJsonWriter writer_;
};

}  // namespace hastur
