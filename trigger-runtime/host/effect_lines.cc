#include "trigger-runtime/host/effect_lines.h"

#include <fmt/format.h>

#include <iterator>

#include "core/json.h"
#include "core/printable.h"

namespace hastur {
namespace {

std::string_view kind_name(EffectKind kind) {
  switch (kind) {
    case EffectKind::message:
      return "message";
    case EffectKind::notification:
      return "notification";
    case EffectKind::log:
      return "log";
    case EffectKind::report:
      return "report";
  }
  return "effect";
}

void begin_json(std::string& out, std::string_view effect, std::uint64_t seq, Time time) {
  fmt::format_to(std::back_inserter(out), R"({{"effect":"{}","seq":{},"time":{})", effect, seq,
                 to_us(time));
}

void begin_text(std::string& out, std::uint64_t seq, Time time, std::string_view what) {
  fmt::format_to(std::back_inserter(out), "{}  #{:<6} {:<12} ", format_time(time), seq, what);
}

// The entry as a person reads it: a text bare, anything else as JSON, what is absent as "".
std::string shown(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : canonical_json(*found);
}

}  // namespace

// A report says again what error lines said.
void JsonLines::effect(std::string& out, std::uint64_t seq, const Effect& effect) const {
  if (effect.kind == EffectKind::report) return;
  begin_json(out, kind_name(effect.kind), seq, effect.time);
  if (effect.kind == EffectKind::message) {
    out += ",\"message\":";
    out += effect.payload;
  } else if (effect.payload != "{}") {
    // The payload's own fields stand beside the others.
    out += ',';
    out.append(effect.payload, 1, effect.payload.size() - 2);
  }
  out += "}\n";
}

void JsonLines::error(std::string& out, std::uint64_t seq, Time time,
                      const ScriptError& error) const {
  begin_json(out, "error", seq, time);
  out += ",\"text\":";
  append_json_string(out, error.text);
  out += ",\"script\":";
  append_json_string(out, error.script);
  fmt::format_to(std::back_inserter(out), ",\"line\":{}}}\n", error.line);
}

void JsonLines::end(std::string& out, const Totals& totals) const {
  fmt::format_to(std::back_inserter(out),
                 "{{\"state\":{},\"messages\":{},\"matched\":{},\"errors\":{}}}\n", totals.state,
                 totals.messages, totals.matched, totals.errors);
}

void TextLines::effect(std::string& out, std::uint64_t seq, const Effect& effect) const {
  if (effect.kind == EffectKind::report) return;
  const Result<Json> parsed = parse_json(effect.payload);
  const Json payload = parsed ? *parsed : Json::object();
  std::string what = "log";
  std::string text = shown(payload, "text");
  if (effect.kind == EffectKind::notification) {
    what = shown(payload, "kind");
    if (const std::string key = shown(payload, "key"); !key.empty()) text = key + ": " + text;
  } else if (effect.kind == EffectKind::message) {
    what = shown(payload, "type");
    text = shown(payload, "name") + " " + shown(payload, "value");
    if (payload.contains("labels")) text += " " + shown(payload, "labels");
  }
  begin_text(out, seq, effect.time, what);
  out += printable(text) + '\n';
}

void TextLines::error(std::string& out, std::uint64_t seq, Time time,
                      const ScriptError& error) const {
  begin_text(out, seq, time, "ERROR");
  std::string text = error.text;
  if (!error.script.empty()) text += fmt::format(" ({}:{})", error.script, error.line);
  out += printable(text) + '\n';
}

void TextLines::end(std::string& out, const Totals& totals) const {
  fmt::format_to(std::back_inserter(out), "{} messages, {} matched, {} errors\nstate: {}\n",
                 totals.messages, totals.matched, totals.errors, printable(totals.state));
}

}  // namespace hastur
