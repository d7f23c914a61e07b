// The options of ctx:alert, the functions of what it makes (set, raise, clear, is_open), and its
// pages as notifications.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/cut_text.h"
#include "core/json.h"
#include "core/number.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/helper_arguments.h"
#include "trigger-runtime/vm/helper_functions.h"
#include "trigger-runtime/vm/sandbox.h"

namespace hastur {
namespace {

constexpr std::uint32_t changes_max = 100;
constexpr std::uint32_t burst_max = 10'000;
// They stand in the state while the key is open.
constexpr std::size_t text_bytes_max = 4 * 1024;
constexpr std::size_t details_bytes_max = 32 * 1024;

// The numbers that bound ranges in a condition, and the other values that it names.
void collect(const Json& words, bool is_range, std::vector<double>& bounds,
             std::vector<Json>& named) {
  if (words.is_structured()) {
    for (const Json& part : words) collect(part, words.is_object(), bounds, named);
  } else if (is_range && words.is_number()) {
    bounds.push_back(words.get<double>());
  } else {
    named.push_back(words);
  }
}

// A number that is greater (direction 1) or less (-1), if there is one.
double beside(double bound, double direction) {
  const double near = bound + direction;
  return near != bound ? near : std::nextafter(bound, direction * HUGE_VAL);
}

// Values among which some satisfy a condition of these words if any do: those that it names, its
// bounds, and one on either side of each.
struct Samples {
  std::vector<double> bounds;  // in order
  std::vector<Json> values;
};

Samples samples_of(std::initializer_list<const std::string*> all_words) {
  Samples samples;
  for (const std::string* words : all_words)
    collect(parse_json(*words).value(), false, samples.bounds, samples.values);
  std::vector<double>& bounds = samples.bounds;
  std::ranges::sort(bounds);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    samples.values.emplace_back(i == 0 ? beside(bounds[0], -1)
                                       : bounds[i - 1] + (bounds[i] - bounds[i - 1]) / 2);
    samples.values.emplace_back(bounds[i]);
    if (i + 1 == bounds.size()) samples.values.emplace_back(beside(bounds[i], 1));
  }
  return samples;
}

// `holds` is asked with each as a value; the first for which it says so, as JSON.
template <class Holds>
std::optional<std::string> first_of(const std::vector<Json>& samples, Holds holds) {
  for (const Json& json : samples) {
    const std::string text = json.is_string() ? json.get<std::string>() : "";
    const Value value = json.is_string()    ? Value::of(text)
                        : json.is_boolean() ? Value::of_boolean(json.get<bool>())
                        : json.is_number()  ? Value::of(json.get<double>())
                                            : Value{};
    if (value.kind != Value::Kind::absent && holds(value)) return canonical_json(json);
  }
  return std::nullopt;
}

std::optional<Condition> condition(lua_State* lua, const HelperOptions& options, const char* key,
                                   std::string& words) {
  std::optional<std::string> json = options.json(key);
  if (!json) return std::nullopt;
  const Result<Json> spec = parse_json(*json);
  HASTUR_CHECK(spec.has_value(), "a condition's JSON cannot be read back");
  Result<Condition> condition = Condition::parse(*spec, false, true);
  if (!condition) raise(lua, fmt::format("ctx:alert: {}: {}", key, condition.error().message));
  words = std::move(*json);
  if (!first_of(samples_of({&words}).values,
                [&](const Value& value) { return condition->holds(value); })) {
    raise(lua, fmt::format("ctx:alert: {}: there is no value that is {}", key, words));
  }
  return std::move(*condition);
}

// A value that would open a key and close it, too. Ranges may have a border in common.
std::optional<std::string> in_both(const Alert::Options& options) {
  const Samples samples = samples_of({&options.raise_words, &options.clear_words});
  return first_of(samples.values, [&](const Value& value) {
    const bool is_border = value.kind == Value::Kind::number &&
                           std::ranges::binary_search(samples.bounds, value.number);
    return !is_border && options.raise->holds(value) && options.clear->holds(value);
  });
}

struct Self {
  ScriptHelper& made;
  Alert& alert;
};

Self self_of(lua_State* lua, std::string_view function) {
  ScriptHelper& made = helper_self(lua, function, {HelperKind::alert});
  return {made, static_cast<Alert&>(*made.helper)};
}

std::string_view key_of(lua_State* lua, const Self& self, std::string_view function) {
  const std::string_view key = key_argument(lua, 2, self.made, function);
  if (key.empty()) {
    raise(lua, fmt::format("{}: the key is empty: by it people know what the page is about",
                           called(self.made, function)));
  }
  return made_key_argument(lua, 2, self.made, function);
}

// As JSON: an object.
std::string details_argument(lua_State* lua, int index, const Self& self,
                             std::string_view function) {
  const std::string where = called(self.made, function);
  open_frozen(lua, index);
  if (!lua_istable(lua, index))
    raise(lua, fmt::format("{}: details must be a table, got {}", where, describe(lua, index)));
  std::string details;
  if (const auto fault = vm_of(lua).writer.write(lua, index, LuaJsonWriter::Form::effect, "details",
                                                 details_bytes_max, details)) {
    raise(lua, fmt::format("{}: {}", where, *fault));
  }
  // An empty table is one as a list, too.
  if (details == "[]") return "{}";
  if (!details.starts_with('{'))
    raise(lua, fmt::format("{}: details must be a table with names, not a list", where));
  return details;
}

// Text and details stand at `index` and behind it.
void change(lua_State* lua, const Self& self, std::string_view function, Alert::Call& call,
            int index, bool needs_text) {
  const std::string_view key = key_of(lua, self, function);
  Vm& vm = vm_of(lua);
  // Most calls change nothing: the function's name is put together only for an error.
  if (needs_text || !lua_isnoneornil(lua, index)) {
    if (lua_type(lua, index) != LUA_TSTRING)
      text_argument(lua, index, called(self.made, function), "the text");
    call.text = text_at(lua, index);
    if (call.text.empty() || call.text.size() > text_bytes_max) {
      raise(lua, fmt::format("{}: the text must have 1 to {} bytes, this one has {}",
                             called(self.made, function), text_bytes_max, call.text.size()));
    }
  }
  std::string details;
  if (!lua_isnoneornil(lua, index + 1)) {
    details = details_argument(lua, index + 1, self, function);
    call.details = details;
  }
  vm.budget.charge(lua, (call.text.size() + key.size()) / 16);
  if (call.raises && !is_utf8(key)) refuse_key(lua, self.made);
  self.alert.set(key, call, vm.effects.now());
  if (vm.observation.is_on()) [[unlikely]]
    vm.observation.note_alert(self.alert.name(), key, call.value);
  vm.helpers.account(lua, self.made);
}

// (key, value, text, details)
int set(lua_State* lua) {
  const Self self = self_of(lua, "set");
  Value value;
  std::string json;
  switch (lua_type(lua, 3)) {
    case LUA_TBOOLEAN:
      value = Value::of_boolean(lua_toboolean(lua, 3) != 0);
      break;
    case LUA_TSTRING:
      value = Value::of(text_at(lua, 3));
      if (value.text.size() > text_bytes_max)
        raise(lua, fmt::format("{}: the value is too long", called(self.made, "set")));
      append_json_string(json, value.text);
      break;
    case LUA_TNUMBER:
      value = Value::of(number_argument(lua, 3, self.made, "set", "the value"));
      append_number(json, value.number);
      break;
    default:
      raise(lua, fmt::format("{}: the value must be a number, a string or a boolean, got {}",
                             called(self.made, "set"), describe(lua, 3)));
  }
  if (value.kind != Value::Kind::boolean && !self.alert.options().raise) {
    raise(lua, fmt::format("{}: which values raise it? Give ctx:alert raise = {{ above = … }}, or "
                           "pass a boolean",
                           called(self.made, "set")));
  }
  Alert::Call call = self.alert.call_of(value);
  call.value = json;
  change(lua, self, "set", call, 4, true);
  return 0;
}

// (key, text, details)
int raise_alert(lua_State* lua) {
  const Self self = self_of(lua, "raise");
  Alert::Call call;
  call.raises = true;
  change(lua, self, "raise", call, 3, true);
  return 0;
}

// (key, text, details)
int clear(lua_State* lua) {
  const Self self = self_of(lua, "clear");
  Alert::Call call;
  call.clears = true;
  change(lua, self, "clear", call, 3, false);
  return 0;
}

// (key) → whether it is open, paged or not
int is_open(lua_State* lua) {
  const Self self = self_of(lua, "is_open");
  lua_pushboolean(lua, self.alert.is_open(key_of(lua, self, "is_open")));
  return 1;
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

Alert::Options alert_options(lua_State* lua, int index) {
  const HelperOptions options(lua, index, "ctx:alert",
                              {"raise", "clear", "raise_after", "clear_after", "again", "stale",
                               "flap", "burst", "to", "severity"});
  Alert::Options asked;
  asked.raise = condition(lua, options, "raise", asked.raise_words);
  asked.clear = condition(lua, options, "clear", asked.clear_words);
  if (asked.clear && !asked.raise)
    raise(lua, "ctx:alert: clear goes with raise: which values raise it?");
  if (const auto value = asked.clear ? in_both(asked) : std::nullopt) {
    raise(lua,
          fmt::format("ctx:alert: raise and clear overlap: {} would do both. Clear is what ends "
                      "it: raise = {{ above = 10 }}, clear = {{ below = 5 }}",
                      *value));
  }
  asked.raise_after = options.span("raise_after");
  asked.clear_after = options.span("clear_after");
  asked.again = options.span("again");
  asked.stale = options.span("stale");
  asked.burst = options.count("burst", burst_max).value_or(Alert::burst_default);
  if (options.has("flap")) {
    lua_getfield(lua, index, "flap");
    const HelperOptions flap(lua, lua_gettop(lua), "ctx:alert: flap", {"changes", "span"});
    const auto changes = flap.count("changes", changes_max, 2);
    const auto span = flap.span("span");
    if (!changes || !span) {
      raise(lua,
            "ctx:alert: flap takes how many changes (2 or more) in which span: { changes = 6, "
            "span = \"10m\" }");
    }
    asked.flap = Alert::Flap{*changes, *span};
    lua_pop(lua, 1);
  }
  asked.to = options.text("to").value_or("");
  asked.severity = options.text("severity").value_or("");
  constexpr std::array severities = {"critical", "error", "warning", "info"};
  if (!asked.severity.empty() && std::ranges::find(severities, asked.severity) == severities.end())
    raise(lua, fmt::format("ctx:alert: severity must be one of {}, got '{}'",
                           fmt::join(severities, ", "), cut_text(asked.severity)));
  return asked;
}

Notification alert_notification(const Alert& alert, std::string_view trigger,
                                const AlertPage& page) {
  const Alert::Options& options = alert.options();
  Notification notification;
  notification.kind = "pager_duty";
  notification.key =
      json_text(page.key.empty() ? fmt::format("{}/{}", trigger, alert.name())
                                 : fmt::format("{}/{}/{}", trigger, alert.name(), page.key));
  if (!page.to.empty()) notification.to = json_text(page.to);
  notification.text = page.text;
  notification.details = page.details;
  const std::string severity =
      options.severity.empty() ? "" : fmt::format("\"severity\":\"{}\"", options.severity);
  notification.options = fmt::format("{{{}{}{}}}", page.resolves ? "\"action\":\"resolve\"" : "",
                                     page.resolves && !severity.empty() ? "," : "", severity);
  return notification;
}

void push_alert_functions(lua_State* lua) {
  constexpr luaL_Reg functions[] = {
      {"set", set}, {"raise", raise_alert}, {"clear", clear}, {"is_open", is_open}};
  lua_newtable(lua);
  for (const luaL_Reg& function : functions) add_function(lua, function.name, function.func);
}

}  // namespace hastur
