// What a trigger's state costs.
//
// judge, restore: a state of so many KiB (an entry for each host: a table of three numbers and a
// text) is serialised after a callback has touched it, or put back in place; beside the floor, a
// walk over the same tables with Lua's C API that copies every text and number into one block, and
// its way back into new tables. pairs: a walk over 10, 100, 1,000 keys in their fixed order; beside
// the floor, stock `next` over the same table under the same count hook.

#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "core/check.h"
#include "trigger-runtime/vm/lua.h"
#include "trigger-runtime/vm/script_vm.h"

namespace {

using namespace hastur;

constexpr int walks = 100;  // in one call

// About 84 bytes of JSON each.
std::string fill(std::int64_t kib) {
  return "for i = 1, " + std::to_string(kib * 1024 / 84) +
         " do state['web-' .. i] = { last = i + 0.25, count = i * 7, since = 1704067200000000, "
         "host = 'web-' .. i .. '.example' } end";
}

std::unique_ptr<ScriptVm> load(const std::string& script) {
  LoadCommand command;
  command.name = "bench";
  command.script = {"bench.lua", script};
  command.limits.instructions_max = 1'000'000'000;
  command.limits.state_bytes_max = 64u << 20;
  auto loaded = ScriptVm::load(command);
  HASTUR_CHECK(loaded.index() == 0, "the script does not load");
  return std::move(std::get<0>(loaded));
}

Batch gauge() {
  BatchBuilder builder;
  MessageView message;
  message.type = MessageType::gauge;
  message.name = "load";
  message.uuid = "8e58af00-708c-012f-e468-64ce8f3a9d00";
  message.value = Value::of(1);
  message.timestamp = message.received_at = time_from_us(1'704'067'200'000'000);
  builder.add(message);
  return builder.finish(StreamId{}, Sequence{1}, Time{});
}

void feed(ScriptVm& vm, const Batch& batch) {
  const std::vector<std::int64_t> times{1'704'067'200'000'000};
  const Match match{0, 0};
  const TriggerProgress progress =
      vm.feed(BatchView::trusted(batch.header, batch.body), times, 0, 1, {&match, 1}, {}, nullptr);
  HASTUR_CHECK(!progress.stopped, "the callback failed");
}

void per_kib(benchmark::State& state, std::size_t bytes) {
  state.counters["per_KiB"] = benchmark::Counter(
      static_cast<double>(bytes) / 1024,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

const std::string touching =
    "local ctx = hastur.trigger{}\nlocal state = ctx.state\n"
    "ctx:gauges({}, function() if state.n then state.n = state.n + 1 else state.n = 0 ";

void judge(benchmark::State& state) {
  const auto vm = load(touching + fill(state.range(0)) + " end end)");
  const Batch batch = gauge();
  std::size_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    feed(*vm, batch);
    state.ResumeTiming();
    bytes = vm->judge(Sequence{1}, Time{}).memory.state.size();
  }
  per_kib(state, bytes);
}

void restore(benchmark::State& state) {
  const auto vm = load(touching + fill(state.range(0)) + " end end)");
  feed(*vm, gauge());
  const Memory memory = vm->judge(Sequence{1}, Time{}).memory;
  for (auto _ : state) vm->restore(memory, 0);
  per_kib(state, memory.state.size());
}

// A Lua state without any of ours in it, with the same tables.
struct Stock {
  explicit Stock(std::int64_t kib) : lua(luaL_newstate()) {
    luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    luaL_openlibs(lua);
    const std::string script = "local state = {} " + fill(kib) + " return state";
    HASTUR_CHECK(luaL_dostring(lua, script.c_str()) == 0, "the floor's script does not run");
  }
  ~Stock() { lua_close(lua); }
  Stock(const Stock&) = delete;
  Stock& operator=(const Stock&) = delete;
  lua_State* lua;
};

void put(std::string& out, const void* bytes, std::size_t size) {
  out.append(static_cast<const char*>(bytes), size);
}

void copy_out(lua_State* lua, int table, std::string& out) {
  lua_pushnil(lua);
  while (lua_next(lua, table) != 0) {
    std::size_t size = 0;
    const char* key = lua_tolstring(lua, -2, &size);
    put(out, &size, sizeof size);
    put(out, key, size);
    const int type = lua_type(lua, -1);
    out += static_cast<char>(type);
    if (type == LUA_TTABLE) {
      copy_out(lua, lua_gettop(lua), out);
    } else if (type == LUA_TNUMBER) {
      const double number = lua_tonumber(lua, -1);
      put(out, &number, sizeof number);
    } else {
      const char* text = lua_tolstring(lua, -1, &size);
      put(out, &size, sizeof size);
      put(out, text, size);
    }
    lua_pop(lua, 1);
  }
  const std::size_t end = SIZE_MAX;
  put(out, &end, sizeof end);
}

const char* copy_in(lua_State* lua, const char* at) {
  lua_newtable(lua);
  while (true) {
    std::size_t size = 0;
    std::memcpy(&size, at, sizeof size);
    at += sizeof size;
    if (size == SIZE_MAX) return at;
    lua_pushlstring(lua, at, size);
    at += size;
    const int type = *at++;
    if (type == LUA_TTABLE) {
      at = copy_in(lua, at);
    } else if (type == LUA_TNUMBER) {
      double number = 0;
      std::memcpy(&number, at, sizeof number);
      at += sizeof number;
      lua_pushnumber(lua, number);
    } else {
      std::memcpy(&size, at, sizeof size);
      at += sizeof size;
      lua_pushlstring(lua, at, size);
      at += size;
    }
    lua_rawset(lua, -3);
  }
}

std::size_t json_bytes(std::int64_t kib) {
  const auto vm = load(touching + fill(kib) + " end end)");
  feed(*vm, gauge());
  return vm->judge(Sequence{1}, Time{}).memory.state.size();
}

void judge_floor(benchmark::State& state) {
  const Stock stock(state.range(0));
  std::string out;
  for (auto _ : state) {
    out.clear();
    copy_out(stock.lua, 1, out);
    benchmark::DoNotOptimize(out.data());
  }
  per_kib(state, json_bytes(state.range(0)));
}

void restore_floor(benchmark::State& state) {
  const Stock stock(state.range(0));
  std::string out;
  copy_out(stock.lua, 1, out);
  for (auto _ : state) {
    benchmark::DoNotOptimize(copy_in(stock.lua, out.data()));
    lua_pop(stock.lua, 1);
  }
  per_kib(state, json_bytes(state.range(0)));
}

void per_key(benchmark::State& state) {
  state.counters["per_key"] = benchmark::Counter(
      static_cast<double>(state.range(0)) * walks,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

std::string keys(std::int64_t count) {
  return "for i = 1, " + std::to_string(count) + " do state['host' .. i] = i end ";
}
const std::string walk = "local n = 0 for round = 1, " + std::to_string(walks) +
                         " do for k, v in pairs(state) do n = n + v end end ";

void pairs(benchmark::State& state) {
  const auto vm = load(
      "local ctx = hastur.trigger{}\nlocal state = ctx.state\n"
      "ctx:gauges({}, function() if not state.host1 then " +
      keys(state.range(0)) + " end " + walk + " end)");
  const Batch batch = gauge();
  feed(*vm, batch);
  for (auto _ : state) feed(*vm, batch);
  per_key(state);
}

void count(lua_State*, lua_Debug*) {}

void pairs_floor(benchmark::State& state) {
  lua_State* lua = luaL_newstate();
  luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  luaL_openlibs(lua);
  const std::string script =
      "local state = {} " + keys(state.range(0)) + " return function() " + walk + " end";
  HASTUR_CHECK(luaL_dostring(lua, script.c_str()) == 0, "the floor's script does not run");
  lua_sethook(lua, count, LUA_MASKCOUNT, 1'000'000'000);
  for (auto _ : state) {
    lua_pushvalue(lua, -1);
    lua_call(lua, 0, 0);
  }
  per_key(state);
  lua_close(lua);
}

BENCHMARK(judge)->Arg(1)->Arg(64)->Arg(1024);
BENCHMARK(judge_floor)->Arg(1)->Arg(64)->Arg(1024);
BENCHMARK(restore)->Arg(1)->Arg(64)->Arg(1024);
BENCHMARK(restore_floor)->Arg(1)->Arg(64)->Arg(1024);
BENCHMARK(pairs)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(pairs_floor)->Arg(10)->Arg(100)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
