#pragma once

// The helpers that one script has made (trigger-runtime/vm/helpers/), and their places in Lua.
//
// Each is an object that the script holds (hosts, errors, …), and a view under its key in
// ctx.state, which reads what it keeps as tables that cannot be written. Its state is written where
// the view stands and read from there. What the native structures take counts as the trigger's
// memory.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/helpers/alert.h"
#include "trigger-runtime/vm/helpers/helper.h"
#include "trigger-runtime/vm/helpers/keyed.h"
#include "trigger-runtime/vm/helpers/window.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur {

struct Vm;

enum class HelperKind : std::uint8_t { keyed, span_window, last_window, throttle, alert };

// The values of one ctx:keyed: a Lua table by id.
class LuaValues final : public KeyValues {
 public:
  // `number` is the helper's, from 1.
  LuaValues(lua_State* lua, int number);
  bool write(std::uint32_t id, std::string& out) const override;
  bool read(std::uint32_t id, std::string_view json) override;
  void drop(std::uint32_t id) override;
  void clear() override;

  void push(std::uint32_t id) const;
  // Pops the value on top; false if it is nil.
  bool set(std::uint32_t id);

 private:
  void push_table() const;
  lua_State* lua_;
  int number_;
};

// One helper as its script has made it.
struct ScriptHelper {
  HelperKind kind = HelperKind::keyed;
  std::unique_ptr<Helper> helper;
  std::unique_ptr<LuaValues> values;  // of keyed
  std::string new_value = "{}";       // of keyed: JSON
  std::optional<std::uint32_t> silence_callback;
  std::uint32_t line = 0;
  // Memory of it that is counted.
  std::size_t bytes = 0;
};

class HelperSet {
 public:
  static constexpr std::size_t helpers_max = 100;

  bool empty() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }
  // How many have deadlines.
  std::uint32_t with_deadlines() const;
  ScriptHelper* find(std::string_view name) const;
  ScriptHelper& of(const Helper& helper) const;

  // While the script is loaded: keeps the helper, and pushes its object, whose functions are in the
  // table on top, which it replaces.
  void add(lua_State* lua, std::unique_ptr<ScriptHelper> made);
  // Once it is: what windows keep.
  void keep(Window::Kept kept);

  // Of those that remember the stream (Loaded::helpers).
  std::vector<HelperSpec> specs() const;
  // The spans of time that they were declared with.
  std::vector<Micros> spans() const;
  // How wide the slots of windows are, by name: whoever reads a state must know it.
  std::map<std::string, std::int64_t> slots() const;

  // The state goes: nothing is kept of it.
  void clear(lua_State* lua);
  // Takes what stood at a key that begins with '@' ("@keyed.hosts"); what no helper of the script
  // has written is passed over, but that of an alert: it is there until the next pages(). `slots`
  // are those of who wrote it. Says what is wrong, and with which line's helper.
  std::optional<ScriptError> read(lua_State* lua, std::string_view state_key, std::string_view json,
                                  Time now, const std::map<std::string, std::int64_t>& slots);
  // Of one that has been read: takes instead what stood there at `at`, written by this script, and
  // for what nothing was heard of from then to `now`. Says what is wrong.
  std::optional<std::string> warm(lua_State* lua, std::string_view state_key, std::string_view json,
                                  Time at, Time now);
  // Puts the views into the table at `state`.
  void put_views(lua_State* lua, int state) const;
  // What an alert has paged that the script does not have any more waits to be resolved.
  bool has_retired() const;
  void settle(Time now);

  bool pass_deaf(Micros deaf, Time now);
  // In the order in which they are judged: by time, name of the helper, key.
  std::vector<DueKey> due(Time now);

  // What the alerts page at a tick, after its callbacks, in the order (due, name, key); `changed`
  // is set if anything of them has. An alert in it lives until the next pages() or clear().
  struct Page {
    const Alert* alert = nullptr;
    AlertPage page;
  };
  std::vector<Page> pages(lua_State* lua, Time now, bool& changed);
  // In the order of their making.
  std::vector<const Alert*> alerts() const;

  // Counts what the helper takes by now; raises in a callback if that is more than the trigger may
  // have.
  void account(lua_State* lua, ScriptHelper& made) const;
  void account_all(lua_State* lua) const;
  // Left out since the start (Helper::dropped).
  std::uint64_t dropped() const;

 private:
  // The number of the view among those that are registered is the helper's place in all_, from 1.
  std::set<std::int64_t> slots_before(std::string_view name,
                                      const std::map<std::string, std::int64_t>& slots) const;
  void make_view(lua_State* lua, ScriptHelper& made, std::size_t number) const;
  void retire(lua_State* lua, std::string_view name, std::string_view json, Time now);
  void drop_retired(lua_State* lua);

  // Those of the script; behind them retired alerts.
  std::vector<std::unique_ptr<ScriptHelper>> all_;
  // Their pages are on their way.
  std::vector<std::unique_ptr<ScriptHelper>> leaving_;
};

// The helper whose view stands at `index`, or null.
Helper* helper_view_at(lua_State* lua, int index);
// The helper whose object stands at `index`, or null.
ScriptHelper* helper_object_at(lua_State* lua, int index);
// Pushes all that the helper keeps as a table, whose tables cannot be written.
void push_helper_content(lua_State* lua, Helper& helper);
[[noreturn]] void raise_helper_view(lua_State* lua, const Helper& helper);

}  // namespace hastur
