#include "trigger-test/calls.h"

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
  const auto locals = json.find("locals");
  if (locals == json.end() || !locals->is_object()) return step;
  for (const auto& [name, value] : locals->items()) {
    if (value.is_string()) step.locals.emplace_back(name, value.get<std::string>());
  }
  return step;
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
  const Result<Json> read = parse_json(names.read(canonical_json(*list)));
  if (!read) return calls;
  for (const Json& json : *read) {
    if (!json.is_object()) continue;
    ObservedCall call;
    call.input = {number(json, "sequence")};
    call.callback = static_cast<std::uint32_t>(number(json, "callback"));
    call.instructions = number(json, "instructions");
    call.returned = json.value("returned", Json(true)) == true;
    call.before = json.value("before", Json());
    call.after = json.value("after", Json());
    const Json steps = json.value("steps", Json::array());
    if (steps.is_array()) {
      for (const Json& step : steps) call.steps.push_back(step_of(step));
    }
    calls.push_back(std::move(call));
  }
  return calls;
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

}  // namespace hastur
