#include "trigger-runtime/vm/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/json.h"
#include "core/number.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/helpers/alert_text.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

// A loop's lines are told a few times, then only counted as left out.
constexpr std::size_t steps_max = 200;
constexpr std::size_t calls_bytes_max = 8u << 20;
constexpr std::size_t state_bytes_max = 64u << 10;
constexpr std::size_t value_bytes_max = 200;
// Of an alert, at a tick; and of all of them, since observing began.
constexpr std::size_t alert_keys_max = 50;
constexpr std::size_t said_max = 1'000;

// The writer charges the budget while a script runs; what is observed is free.
class Uncharged {
 public:
  explicit Uncharged(Vm& vm) : vm_(vm), phase_(vm.phase) { vm.phase = Vm::Phase::idle; }
  ~Uncharged() { vm_.phase = phase_; }
  Uncharged(const Uncharged&) = delete;
  Uncharged& operator=(const Uncharged&) = delete;

 private:
  Vm& vm_;
  const Vm::Phase phase_;
};

}  // namespace

void Observation::observe(What what) {
  what_ = what;
  if (what != What::calls) said_.clear();
}

std::string Observation::take() {
  Json all = Json::object();
  if (!lines_.empty()) {
    Json& lines = all["lines"] = Json::object();
    for (const auto& [place, times] : lines_) {
      lines[place.first].push_back(Json::array({place.second, times}));
    }
  }
  if (!code_.is_null()) all["code"] = std::exchange(code_, Json());
  if (!waits_.is_null()) all["waits"] = std::exchange(waits_, Json());
  if (what_ == What::calls || !calls_.empty()) all["calls"] = std::exchange(calls_, Json::array());
  if (!ticks_.empty()) all["ticks"] = std::exchange(ticks_, Json::array());
  if (cut_) all["cut"] = true;
  told_alerts_ = nullptr;
  lines_.clear();
  bytes_ = 0;
  cut_ = false;
  return canonical_json(all);
}

void Observation::note_waits(const std::vector<Micros>& spans) {
  waits_ = Json::array();
  for (const Micros span : spans) waits_.push_back(span.count());
}

void Observation::begin_call(lua_State* lua, Sequence sequence, std::uint32_t callback) {
  if (what_ != What::calls) return;
  if (bytes_ > calls_bytes_max) cut_ = true;
  call_ = cut_ ? Json() : Json::object();
  if (cut_) return;
  call_["sequence"] = sequence.value;
  call_["callback"] = callback;
  call_["before"] = state(lua);
  call_["steps"] = Json::array();
  locals_.clear();
  state_keys_.clear();
  note_state(lua, nullptr);
  effects_ = vm_of(lua).effects.count();
  step_ = 0;
  later_.clear();
}

void Observation::end_call(lua_State* lua, bool returned, std::uint64_t instructions) {
  if (what_ != What::calls || !call_.is_object()) return;
  note_effects(vm_of(lua).effects.count());
  call_["returned"] = returned;
  call_["instructions"] = instructions;
  call_["after"] = state(lua);
  bytes_ += 200 + (call_["before"].is_null() ? 0 : canonical_json(call_["before"]).size());
  calls_.push_back(std::exchange(call_, Json()));
}

void Observation::begin_tick(lua_State* lua) {
  if (what_ == What::calls) before_tick_ = bytes_ > calls_bytes_max ? Json() : state(lua);
}

void Observation::end_tick(lua_State* lua, std::span<const HelperSet::Page> pages,
                           std::string_view fault) {
  if (what_ != What::calls) return;
  if (bytes_ > calls_bytes_max) {
    cut_ = true;
    return;
  }
  Json tick = {{"sequence", vm_of(lua).effects.sequence().value}};
  Json after = state(lua);
  // What calls did and a judgement took back ends where it began.
  if (after != before_tick_ || !fault.empty()) {
    bytes_ += canonical_json(after).size() + canonical_json(before_tick_).size();
    tick["before"] = std::move(before_tick_);
    tick["after"] = std::move(after);
  }
  Json alerts = quiet_alerts(lua, pages, fault);
  if (alerts != told_alerts_) {
    bytes_ += canonical_json(alerts).size();
    tick["alerts"] = alerts;
    told_alerts_ = std::move(alerts);
  }
  if (tick.size() == 1) return;
  bytes_ += 100;
  ticks_.push_back(std::move(tick));
}

void Observation::note_alert(const std::string& alert, std::string_view key,
                             std::string_view value) {
  if (what_ != What::calls || !call_.is_object()) return;
  const auto [place, is_new] = said_.try_emplace({alert, std::string(key)});
  place->second = value;
  if (is_new && said_.size() > said_max) said_.erase(place);
  Json& steps = call_["steps"];
  if (steps.empty() || bytes_ > calls_bytes_max) return;
  const Result<Json> said = parse_json(value);
  steps[step_]["said"].push_back(Json::array({alert, std::string(key), said ? *said : Json()}));
  bytes_ += 20 + alert.size() + key.size() + value.size();
}

// Those that are paged at this tick are not quiet.
Json Observation::quiet_alerts(lua_State* lua, std::span<const HelperSet::Page> pages,
                               std::string_view fault) const {
  Json all = Json::array();
  const Vm& vm = vm_of(lua);
  for (const Alert* alert : vm.helpers.alerts()) {
    std::set<std::string> keys;
    std::set<std::string> paged;
    for (const HelperSet::Page& page : pages) {
      if (page.alert == alert) paged.insert(page.page.key);
    }
    if (!fault.empty()) {
      for (const std::string& key : paged) {
        if (keys.size() < alert_keys_max) keys.insert(key);
      }
    }
    for (auto said = said_.lower_bound({alert->name(), ""});
         said != said_.end() && said->first.first == alert->name() && keys.size() < alert_keys_max;
         ++said)
      keys.insert(said->first.second);
    const KeyTable& known = alert->keys();
    for (std::uint32_t id = 0; id < known.ids_end() && keys.size() < alert_keys_max; ++id) {
      // The key "" is the burst's.
      if (known.holds(id) && !known.key(id).empty()) keys.emplace(known.key(id));
    }
    for (const std::string& key : keys) {
      if (paged.contains(key)) {
        if (!fault.empty()) {
          all.push_back(
              {{"alert", alert->name()},
               {"key", key},
               {"quiet", fmt::format("what it would say falls with the state: {}", fault)}});
        }
        continue;
      }
      const auto said = said_.find({alert->name(), key});
      const std::string why = why_quiet(
          *alert, key, said == said_.end() ? std::string_view() : std::string_view(said->second),
          vm.effects.now());
      all.push_back({{"alert", alert->name()}, {"key", key}, {"quiet", why}});
    }
  }
  return all;
}

void Observation::note_code(const std::string& script, const std::vector<std::uint32_t>& lines) {
  code_[script] = lines;
}

void Observation::at_line(lua_State* lua, lua_Debug* at) {
  lua_getinfo(lua, "S", at);
  if (at->source[0] != '@') return;
  if (what_ == What::calls) {
    if (!call_.is_object()) return;
    note_effects(vm_of(lua).effects.count());
    // Most lines of a long call: a loop that goes on.
    const auto known = later_.find({at->source, at->currentline});
    if (known != later_.end()) {
      step_ = known->second;
      return;
    }
  }
  const std::string script = at->source + 1;
  if (what_ == What::lines && std::string_view(at->what) != "main")
    ++lines_[{script, at->currentline}];
  if (what_ != What::calls) return;
  Json& steps = call_["steps"];
  if (bytes_ > calls_bytes_max) {
    cut_ = true;
    return;
  }
  if (steps.size() >= steps_max) {
    step_ = later_step(script, at->currentline);
    later_.insert_or_assign({at->source, at->currentline}, step_);
    return;
  }
  Json step = {{"line", at->currentline}, {"script", script}};
  note_locals(lua, at, step);
  note_state(lua, &step);
  bytes_ += 50 + script.size();
  steps.push_back(std::move(step));
  step_ = steps.size() - 1;
}

std::size_t Observation::later_step(const std::string& script, int line) {
  Json& steps = call_["steps"];
  for (std::size_t i = steps_max; i < steps.size(); ++i) {
    if (steps[i]["line"] == line && steps[i]["script"] == script) return i;
  }
  if (steps.size() >= 2 * steps_max) return step_;
  bytes_ += 50 + script.size();
  steps.push_back({{"line", line}, {"script", script}});
  return steps.size() - 1;
}

// Effects that have come since the last line are that line's.
void Observation::note_effects(std::size_t effects) {
  if (effects > effects_ && !call_["steps"].empty()) {
    Json& step = call_["steps"][step_];
    step["effects"] = step.value("effects", std::size_t{0}) + effects - effects_;
  }
  effects_ = effects;
}

void Observation::note_locals(lua_State* lua, lua_Debug* at, Json& step) {
  for (int i = 1; const char* name = lua_getlocal(lua, at, i); ++i) {
    // Names in brackets are the VM's own.
    if (name[0] != '(') {
      std::string value = shown(lua, lua_gettop(lua));
      std::string& before = locals_[name];
      if (before != value) {
        bytes_ += value.size() + 20;
        step["locals"][name] = value;
        before = std::move(value);
      }
    }
    lua_pop(lua, 1);
  }
}

void Observation::note_state(lua_State* lua, Json* step) {
  constexpr std::size_t keys_max = 64;
  if (lua_checkstack(lua, 8) == 0) return;
  std::map<std::string, std::string, std::less<>> now;
  const int top = lua_gettop(lua);
  push_state(lua);
  lua_pushnil(lua);
  while (now.size() <= keys_max && lua_next(lua, top + 1) != 0) {
    if (lua_type(lua, -2) == LUA_TSTRING && !text_at(lua, top + 2).starts_with('@'))
      now.emplace(text_at(lua, top + 2), shown(lua, top + 3));
    lua_settop(lua, top + 2);
  }
  lua_settop(lua, top);
  if (now.size() > keys_max) return;
  if (step != nullptr) {
    for (const auto& [key, value] : now) {
      const auto before = state_keys_.find(key);
      if (before != state_keys_.end() && before->second == value) continue;
      bytes_ += key.size() + value.size() + 20;
      (*step)["state"][key] = value;
    }
    for (const auto& [key, value] : state_keys_) {
      if (!now.contains(key)) (*step)["state"][key] = "nil";
    }
  }
  state_keys_ = std::move(now);
}

std::string Observation::shown(lua_State* lua, int index) {
  std::string text;
  switch (lua_type(lua, index)) {
    case LUA_TNIL:
      return "nil";
    case LUA_TBOOLEAN:
      return lua_toboolean(lua, index) != 0 ? "true" : "false";
    case LUA_TNUMBER: {
      const double number = lua_tonumber(lua, index);
      if (number != number) return "nan";
      if (number - number != 0) return number > 0 ? "inf" : "-inf";
      append_number(text, number);
      return text;
    }
    case LUA_TSTRING:
      append_json_string(text, text_at(lua, index).substr(0, value_bytes_max));
      return text;
    case LUA_TTABLE: {
      const Uncharged uncharged(vm_of(lua));
      if (!writer_.write(lua, index, LuaJsonWriter::Form::effect, "", value_bytes_max, text))
        return text;
      return "a table";
    }
    default:
      return describe(lua, index);
  }
}

Json Observation::state(lua_State* lua) {
  const Uncharged uncharged(vm_of(lua));
  std::string text;
  if (writer_.write(lua, state_index, LuaJsonWriter::Form::state, "state", state_bytes_max, text))
    return nullptr;
  Result<Json> json = parse_json(text);
  return json ? std::move(*json) : Json();
}

}  // namespace hastur
