#include "trigger-test/calls.h"

#include <algorithm>
#include <map>

#include "core/json.h"

namespace hastur {
namespace {

std::uint64_t number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

CallStep step_of(const Json& json) {
  CallStep step;
  if (!json.is_object()) return step;
  step.line = static_cast<std::uint32_t>(number(json, "line"));
  step.effects = static_cast<std::uint32_t>(number(json, "effects"));
  if (const auto script = json.find("script"); script != json.end() && script->is_string())
    step.script = script->get<std::string>();
  const auto read = [&](const char* key, std::vector<std::pair<std::string, std::string>>& to) {
    const auto values = json.find(key);
    if (values == json.end() || !values->is_object()) return;
    for (const auto& [name, value] : values->items()) {
      if (value.is_string()) to.emplace_back(name, value.get<std::string>());
    }
  };
  read("locals", step.locals);
  read("state", step.state);
  const auto all = json.find("said");
  if (all == json.end() || !all->is_array()) return step;
  for (const Json& said : *all) {
    if (!said.is_array() || said.size() != 3 || !said[0].is_string() || !said[1].is_string())
      continue;
    step.said.push_back({said[0], said[1], said[2].is_null() ? "" : canonical_json(said[2])});
  }
  return step;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// `json` with the nicknames that its keys and texts stand for.
Json read_by(const Nicknames& names, const Json& json) {
  if (json.is_string()) return names.read(json.get_ref<const std::string&>());
  Json read = json.is_structured() ? Json(json.type()) : json;
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) read[names.read(key)] = read_by(names, value);
  } else if (json.is_array()) {
    for (const Json& value : json) read.push_back(read_by(names, value));
  }
  return read;
}

// Null if there is none.
Json taken(Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() ? std::move(*found) : Json();
}

// Puts things in the order of their places, and keeps the last of those at the same one.
template <class Thing, class Place>
void keep_last(std::vector<Thing>& things, Place place_of) {
  std::map<decltype(place_of(things.front())), std::size_t> last;
  for (std::size_t i = 0; i < things.size(); ++i) last[place_of(things[i])] = i;
  std::vector<Thing> kept;
  for (const auto& [place, index] : last) kept.push_back(std::move(things[index]));
  std::ranges::stable_sort(kept, {}, &Thing::input);
  things = std::move(kept);
}

}  // namespace

std::uint32_t ObservedCall::effects() const {
  std::uint32_t sum = 0;
  for (const CallStep& step : steps) sum += step.effects;
  return sum;
}

std::vector<ObservedCall> observed_calls(const Json& observed, const Nicknames& names) {
  std::vector<ObservedCall> calls;
  if (!observed.is_object()) return calls;
  const auto list = observed.find("calls");
  if (list == observed.end() || !list->is_array()) return calls;
  for (const Json& each : *list) {
    if (!each.is_object()) continue;
    Json json = read_by(names, each);
    ObservedCall call;
    call.input = {number(json, "sequence")};
    call.callback = static_cast<std::uint32_t>(number(json, "callback"));
    call.instructions = number(json, "instructions");
    call.returned = json.value("returned", Json(true)) == true;
    call.before = taken(json, "before");
    call.after = taken(json, "after");
    const Json steps = taken(json, "steps");
    if (steps.is_array()) {
      for (const Json& step : steps) call.steps.push_back(step_of(step));
    }
    calls.push_back(std::move(call));
  }
  keep_last(calls, [](const ObservedCall& call) { return std::pair(call.input, call.callback); });
  return calls;
}

std::vector<ObservedTick> observed_ticks(const Json& observed) {
  std::vector<ObservedTick> ticks;
  if (!observed.is_object()) return ticks;
  const auto list = observed.find("ticks");
  if (list == observed.end() || !list->is_array()) return ticks;
  for (const Json& json : *list) {
    if (!json.is_object()) continue;
    ObservedTick tick;
    tick.input = {number(json, "sequence")};
    tick.before = json.value("before", Json());
    tick.after = json.value("after", Json());
    if (const auto alerts = json.find("alerts"); alerts != json.end() && alerts->is_array()) {
      tick.alerts.emplace();
      for (const Json& alert : *alerts) {
        if (alert.is_object())
          tick.alerts->push_back({text(alert, "alert"), text(alert, "key"), text(alert, "quiet")});
      }
    }
    ticks.push_back(std::move(tick));
  }
  keep_last(ticks, [](const ObservedTick& tick) { return tick.input; });
  return ticks;
}

ScriptPlace place_of_effect(const std::vector<ObservedCall>& calls, Sequence input,
                            std::uint32_t ordinal) {
  std::uint32_t before = 0;
  for (const ObservedCall& call : calls) {
    if (call.input != input || !call.returned) continue;
    for (const CallStep& step : call.steps) {
      before += step.effects;
      if (before > ordinal) return {step.script, step.line};
    }
  }
  return {};
}

ScriptPlace place_of_most_effects(const std::vector<ObservedCall>& calls) {
  const auto most = std::ranges::max_element(calls, {}, &ObservedCall::effects);
  if (most == calls.end()) return {};
  std::map<std::pair<std::string, std::uint32_t>, std::uint32_t> effects;
  ScriptPlace place;
  std::uint32_t most_of_a_line = 0;
  for (const CallStep& step : most->steps) {
    const std::uint32_t here = effects[{step.script, step.line}] += step.effects;
    if (here <= most_of_a_line) continue;
    most_of_a_line = here;
    place = {step.script, step.line};
  }
  return place;
}

}  // namespace hastur
