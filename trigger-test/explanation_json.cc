#include "core/json.h"
#include "message/json_codec.h"
#include "trigger-test/explanation.h"

namespace hastur {
namespace {

// What a worker or a batch gave as JSON text.
Json read(const std::string& text) {
  Result<Json> json = parse_json(text);
  return json ? std::move(*json) : Json(text);
}

Json json_of(const Judgement& judgement) {
  Json json = {{"line", judgement.subscription->line},
               {"takes", judgement.takes()},
               {"filter", Json::array()}};
  for (const KeyVerdict& key : judgement.keys) {
    Json one = {{"key", key.key}, {"holds", key.holds}, {"wanted", key.wanted}};
    one["found"] = key.found == "absent" ? Json() : read(key.found);
    if (!key.far.empty()) one["far"] = key.far;
    json["filter"].push_back(std::move(one));
  }
  return json;
}

Json json_of(const RanCall& call, const TriggerFiles& trigger) {
  Json json = {{"returned", call.returned},
               {"instructions", call.instructions},
               {"line", call.line},
               {"subscribed_at", call.subscribed_at ? Json(*call.subscribed_at) : Json()},
               {"lines", Json::array()}};
  for (const RanLine& ran : call.lines) {
    Json one = {{"script", trigger.shown(ran.script)},
                {"line", ran.line},
                {"source", ran.source},
                {"values", Json::object()}};
    for (const auto& [name, value] : ran.values) one["values"][name] = value;
    if (ran.effects > 0) one["effects"] = ran.effects;
    for (const CallStep::Said& said : ran.said) {
      one["said"].push_back({{"alert", said.alert},
                             {"key", said.key},
                             {"value", said.value.empty() ? Json() : read(said.value)}});
    }
    json["lines"].push_back(std::move(one));
  }
  return json;
}

Json json_of(const ExplainedInput& input, const TriggerFiles& trigger) {
  std::string message;
  append_message_json(message, input.message.view());
  Json json = {{"time", to_us(input.time)},      {"seq", input.number},    {"input", read(message)},
               {"subscriptions", Json::array()}, {"calls", Json::array()}, {"state", Json::array()},
               {"effects", Json::array()},       {"alerts", Json::array()}};
  for (const Judgement& judgement : input.judgements)
    json["subscriptions"].push_back(json_of(judgement));
  for (const RanCall& call : input.calls) json["calls"].push_back(json_of(call, trigger));
  for (const StateChange& change : input.changes) json["state"].push_back(json_of(change));
  if (!input.unknown_changes.empty()) json["state"] = nullptr;
  if (input.is_derived) json["derived"] = true;
  if (input.effects_cut > 0) json["effects_cut"] = input.effects_cut;
  for (const Seen& seen : input.seen) json["effects"].push_back(json_of(seen));
  for (const QuietAlert& alert : input.alerts) {
    json["alerts"].push_back({{"alert", alert.alert}, {"key", alert.key}, {"quiet", alert.why}});
  }
  return json;
}

}  // namespace

Json json_of(const Seen& seen) {
  if (seen.error) {
    const ScriptError& error = seen.error->error;
    return {
        {"effect", "error"}, {"text", error.text}, {"script", error.script}, {"line", error.line}};
  }
  Json payload = read(seen.effect->payload);
  switch (seen.effect->kind) {
    case EffectKind::message:
    case EffectKind::report:
      return {{"effect", "message"}, {"message", std::move(payload)}};
    case EffectKind::notification:
    case EffectKind::log:
      break;
  }
  if (!payload.is_object()) payload = Json::object();
  payload["effect"] = seen.effect->kind == EffectKind::log ? "log" : "notification";
  return payload;
}

Json json_of(const StateChange& change) {
  return {{"path", change.path}, {"before", change.before}, {"after", change.after}};
}

Json explanation_json(const Explanation& explanation, const TriggerFiles& trigger) {
  Json json = {{"trigger", trigger.name},
               {"at", to_us(explanation.at)},
               {"from", to_us(explanation.from)},
               {"to", to_us(explanation.to)},
               {"left_out", {{"earlier", explanation.earlier}, {"later", explanation.later}}},
               {"keys", explanation.keys},
               {"inputs", Json::array()}};
  for (const ExplainedInput& input : explanation.inputs)
    json["inputs"].push_back(json_of(input, trigger));
  return json;
}

}  // namespace hastur
