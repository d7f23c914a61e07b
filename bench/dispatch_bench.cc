// Dispatch: 4,096 gauges of 64 hosts, all matched, each a callback; beside the floor, which is the
// same Lua body on a bare userdata with one C function for its fields, under the same count hook
// and one pcall a message.

#include <benchmark/benchmark.h>

#include <bit>
#include <cstdlib>
#include <string>
#include <vector>

#include "trigger-runtime/vm/lua.h"
#include "trigger-runtime/vm/script_vm.h"

namespace {

using namespace hastur;

constexpr std::uint32_t rows = 4'096;

// The bodies see `msg` and `state`.
constexpr const char* bodies[] = {
    "if msg.value > 10 then state.total = (state.total or 0) + 1 end",
    "local key = msg.name .. '/' .. msg.uuid state[key] = (state[key] or 0) + 1",
    "state.value = msg.value state.name = msg.name state.uuid = msg.uuid state.timestamp = "
    "msg.timestamp "
    "state.received_at = msg.received_at",
};
constexpr const char* body_names[] = {"trivial", "key concatenation", "five fields"};

std::string uuid_of(std::uint32_t host) {
  std::string uuid = "8e58af00-708c-012f-e468-64ce8f3a9d00";
  uuid[34] = static_cast<char>('a' + host / 16);
  uuid[35] = "0123456789abcdef"[host % 16];
  return uuid;
}

Batch gauges() {
  BatchBuilder builder;
  std::vector<std::string> uuids;
  for (std::uint32_t host = 0; host < 64; ++host) uuids.push_back(uuid_of(host));
  for (std::uint32_t row = 0; row < rows; ++row) {
    MessageView message;
    message.type = MessageType::gauge;
    message.name = "system.load";
    message.value = Value::of(static_cast<double>(row % 20));
    message.timestamp = time_from_us(1'704'067'200'000'000 + row);
    message.received_at = message.timestamp;
    message.uuid = uuids[row % 64];
    builder.add(message);
  }
  return builder.finish(StreamId{}, Sequence{1}, Time{});
}

void trigger(benchmark::State& state) {
  const auto body = static_cast<std::size_t>(state.range(0));
  LoadCommand command;
  command.name = "bench";
  command.script = {"bench.lua",
                    std::string("local ctx = hastur.trigger{}\nlocal state = ctx.state\n"
                                "ctx:gauges({}, function(msg) ") +
                        bodies[body] + " end)\n"};
  auto loaded = ScriptVm::load(command);
  if (loaded.index() != 0) std::abort();
  const auto vm = std::move(std::get<0>(loaded));
  const Batch batch = gauges();
  const BatchView view = BatchView::trusted(batch.header, batch.body);
  std::vector<std::int64_t> times;
  stream_times(view, times);
  std::vector<Match> matches;
  for (std::uint32_t row = 0; row < rows; ++row) matches.push_back({row, 0});
  for (auto _ : state) {
    const TriggerProgress progress = vm->feed(view, times, 0, rows, matches, {}, nullptr);
    if (progress.callbacks != rows) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * rows);
  state.SetLabel(body_names[body]);
}

struct Bare {
  const BatchView* view;
  std::uint32_t row;
  const char* value;
  const char* name;
  const char* uuid;
  const char* timestamp;
};

int bare_index(lua_State* lua) {
  const auto* bare = static_cast<const Bare*>(lua_touserdata(lua, 1));
  const char* key = lua_tolstring(lua, 2, nullptr);
  if (key == bare->value) {
    lua_pushnumber(lua, std::bit_cast<double>(bare->view->values()[bare->row]));
  } else if (key == bare->name) {
    lua_rawgeti(lua, lua_upvalueindex(1), static_cast<int>(bare->view->names()[bare->row]) + 1);
  } else if (key == bare->uuid) {
    lua_rawgeti(lua, lua_upvalueindex(1), static_cast<int>(bare->view->uuids()[bare->row]) + 1);
  } else if (key == bare->timestamp) {
    lua_pushnumber(lua, static_cast<double>(bare->view->timestamps()[bare->row]));
  } else {
    lua_pushnumber(lua, static_cast<double>(bare->view->received_ats()[bare->row]));
  }
  return 1;
}

void floor_of(benchmark::State& state) {
  const auto body = static_cast<std::size_t>(state.range(0));
  const Batch batch = gauges();
  const BatchView view = BatchView::trusted(batch.header, batch.body);
  lua_State* lua = luaL_newstate();
  luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  const auto interned = [lua](const char* text) {
    lua_pushstring(lua, text);
    return lua_tostring(lua, -1);  // stays on the stack, so it stays where it is
  };
  Bare names{
      &view, 0, interned("value"), interned("name"), interned("uuid"), interned("timestamp")};
  const std::string chunk =
      std::string("local state = {}\nreturn function(msg) ") + bodies[body] + " end";
  if (luaL_loadstring(lua, chunk.c_str()) != 0 || lua_pcall(lua, 0, 1, 0) != 0) std::abort();
  const int function = lua_gettop(lua);
  auto* bare = static_cast<Bare*>(lua_newuserdata(lua, sizeof(Bare)));
  const int message = lua_gettop(lua);
  *bare = names;
  lua_newtable(lua);
  lua_newtable(lua);
  for (std::uint32_t id = 0; id < view.string_count(); ++id) {
    push_text(lua, view.string(id));
    lua_rawseti(lua, -2, static_cast<int>(id) + 1);
  }
  lua_pushcclosure(lua, bare_index, 1);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, message);
  const lua_Hook nothing = [](lua_State*, lua_Debug*) {};
  for (auto _ : state) {
    for (std::uint32_t row = 0; row < rows; ++row) {
      bare->row = row;
      lua_sethook(lua, nothing, LUA_MASKCOUNT, 1'000);
      lua_pushvalue(lua, function);
      lua_pushvalue(lua, message);
      if (lua_pcall(lua, 1, 0, 0) != 0) std::abort();
    }
  }
  state.SetItemsProcessed(state.iterations() * rows);
  state.SetLabel(body_names[body]);
  lua_close(lua);
}

BENCHMARK(floor_of)->DenseRange(0, 2);
BENCHMARK(trigger)->DenseRange(0, 2);

}  // namespace

BENCHMARK_MAIN();
