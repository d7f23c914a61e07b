#include "message/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <map>

#include "core/json.h"
#include "core/suggest.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

// In the order in which errors list them.
const std::array<std::string, 9> filter_keys{"name",   "value", "type",     "attn",   "subject",
                                             "labels", "uuid",  "hostname", "none_of"};

Failure refused(std::string_view key, std::string_view what) {
  return fail(ErrorCode::invalid, fmt::format("'{}' in a filter cannot be used: {}", key, what));
}

// Empty tables ask nothing.
bool asks_nothing(const Json& spec) { return spec.is_structured() && spec.empty(); }

Value value_of(const std::optional<std::string_view>& text) {
  return text ? Value::of(*text) : Value{};
}
Value uuid_of(const MessageView& message) {
  return message.uuid.empty() ? Value{} : Value::of(message.uuid);
}

Value field_value(const MessageView& message, std::string_view key) {
  const auto field = find_in_msgpack(message.fields, key);
  return field ? value_of_msgpack(*field) : Value{};
}

// Whether `list` is an array that has `wanted` among its strings.
bool has_string(const Value& list, std::string_view wanted) {
  MsgpackReader reader(list.text);
  MsgpackItem item;
  if (list.kind != Value::Kind::tree || !reader.next(item) || item.kind != MsgpackItem::Kind::array)
    return false;
  std::string_view element;
  for (std::uint32_t i = 0, size = item.size; i < size; ++i) {
    if (!reader.skip(element)) return false;
    if (value_of_msgpack(element) == Value::of(wanted)) return true;
  }
  return false;
}

// uuids stand in lower case in messages, so a filter's are lowered too.
Json lowered(const Json& spec) {
  if (spec.is_array()) {
    Json list = Json::array();
    for (const Json& element : spec) list.push_back(lowered(element));
    return list;
  }
  if (!spec.is_string()) return spec;
  std::string text = spec.get<std::string>();
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string text_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::absent:
      return "absent";
    case Value::Kind::null:
      return "null";
    case Value::Kind::boolean:
      return value.number != 0 ? "true" : "false";
    case Value::Kind::number:
      return canonical_json(value.number);
    case Value::Kind::string:
      return canonical_json(value.text);
    case Value::Kind::tree:
      return canonical_json(Json::from_msgpack(value.text.begin(), value.text.end(), true, false));
  }
  return {};
}

}  // namespace

struct Filter::Parts {
  std::optional<Condition> name, uuid, hostname, value, subject, type;
  // Which types `type` lets through, by wire id.
  std::bitset<256> types;
  // `attn`: true, false or null; else all of these.
  std::optional<Condition> attn;
  std::vector<std::string> attn_all;
  std::vector<std::pair<std::string, Condition>> labels;
  // Whether there must be labels at all.
  std::optional<bool> any_label;
  std::vector<Filter> none_of;
  std::map<std::string, std::string, std::less<>> asked;

  Result<void> take(const std::string& key, const Json& spec);
  Result<void> take_type(const Json& spec);
  Result<void> take_attn(const Json& spec);
  Result<void> take_labels(const Json& spec);
  Result<void> take_none_of(const Json& spec);

  bool attn_holds(const Value& list) const {
    if (attn) return attn->holds(list);
    return std::ranges::all_of(
        attn_all, [&list](const std::string& wanted) { return has_string(list, wanted); });
  }
  bool asks_attn() const { return attn || !attn_all.empty(); }
};

Result<void> Filter::Parts::take(const std::string& key, const Json& spec) {
  if (key == "type") return take_type(spec);
  if (key == "attn") return take_attn(spec);
  if (key == "labels") return take_labels(spec);
  if (key == "none_of") return take_none_of(spec);
  std::optional<Condition>* place = nullptr;
  if (key == "name") place = &name;
  if (key == "value") place = &value;
  if (key == "subject") place = &subject;
  if (key == "uuid") place = &uuid;
  if (key == "hostname") place = &hostname;
  if (place == nullptr) {
    const std::string near = nearest(key, filter_keys);
    return fail(ErrorCode::invalid,
                fmt::format("a filter has no key '{}'{}; it knows {}", key,
                            near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                            fmt::join(filter_keys, ", ")));
  }
  const bool wildcards = key != "value" && key != "uuid";
  auto condition =
      Condition::parse(key == "uuid" ? lowered(spec) : spec, wildcards, key == "value");
  if (!condition) return refused(key, condition.error().message);
  *place = std::move(*condition);
  return {};
}

Result<void> Filter::Parts::take_type(const Json& spec) {
  std::vector<std::string> known;
  for (int id = 0; id < 256; ++id) {
    const auto one = type_from_wire_id(static_cast<std::uint8_t>(id));
    if (one && *one != MessageType::tick) known.emplace_back(type_name(*one));
  }
  for (const Json& element : spec.is_array() ? spec : Json::array({spec})) {
    if (element.is_boolean() && !spec.is_array()) continue;
    const std::string given = element.is_string() ? element.get<std::string>() : "";
    if (std::ranges::find(known, given) != known.end()) continue;
    const std::string near = nearest(given, known);
    return refused(
        "type",
        fmt::format("it takes a type's name or a list of them, it was given {}{}; types are {}",
                    canonical_json(element),
                    near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                    fmt::join(known, ", ")));
  }
  auto condition = Condition::parse(spec, false, false);
  if (!condition) return refused("type", condition.error().message);
  type = std::move(*condition);
  for (const std::string& one : known) {
    if (type->holds(Value::of(std::string_view(one))))
      types.set(static_cast<std::size_t>(*type_from_name(one)));
  }
  return {};
}

Result<void> Filter::Parts::take_attn(const Json& spec) {
  if (spec.is_boolean() || spec.is_null()) {
    auto condition = Condition::parse(spec, false, false);
    if (!condition) return refused("attn", condition.error().message);
    attn = std::move(*condition);
    return {};
  }
  if (asks_nothing(spec))
    return refused("attn", "an empty table asks for nothing; leave the key out");
  for (const Json& element : spec.is_array() ? spec : Json::array({spec})) {
    if (!element.is_string()) {
      return refused(
          "attn",
          fmt::format("it takes a string, a list of strings, true or false, it was given {}",
                      canonical_json(element)));
    }
    attn_all.push_back(element.get<std::string>());
  }
  return {};
}

Result<void> Filter::Parts::take_labels(const Json& spec) {
  if (spec.is_boolean()) {
    any_label = spec.get<bool>();
    return {};
  }
  if (!spec.is_object()) {
    return refused(
        "labels",
        fmt::format("it takes a table of conditions by label, true or false, it was given {}",
                    canonical_json(spec)));
  }
  for (const auto& [key, asks] : spec.items()) {
    auto condition = Condition::parse(asks, true, true);
    if (!condition) return refused(fmt::format("labels.{}", key), condition.error().message);
    labels.emplace_back(key, std::move(*condition));
  }
  return {};
}

Result<void> Filter::Parts::take_none_of(const Json& spec) {
  for (const Json& element : spec.is_array() ? spec : Json::array({spec})) {
    auto filter = Filter::parse(element);
    if (!filter) return refused("none_of", filter.error().message);
    none_of.push_back(std::move(*filter));
  }
  return {};
}

Filter::Filter() : parts_(std::make_shared<const Parts>()) {}

Result<Filter> Filter::parse(const Json& spec) {
  Filter filter;
  if (asks_nothing(spec)) return filter;
  if (!spec.is_object()) {
    return fail(ErrorCode::invalid,
                fmt::format("a filter is a table with keys of {}, it was given {}",
                            fmt::join(filter_keys, ", "), canonical_json(spec)));
  }
  auto parts = std::make_shared<Parts>();
  for (const auto& [key, asks] : spec.items()) {
    if (key == "labels" && asks_nothing(asks)) continue;
    const bool known = std::ranges::find(filter_keys, key) != filter_keys.end();
    if (known && asks_nothing(asks)) {
      return refused(key, key == "none_of"
                              ? "an empty filter matches everything, so nothing would be left"
                              : "an empty table asks for nothing; leave the key out");
    }
    HASTUR_TRY(parts->take(key, asks));
    parts->asked[key] = canonical_json(asks);
  }
  filter.parts_ = std::move(parts);
  return filter;
}

bool Filter::matches(const MessageView& message) const {
  const Parts& parts = *parts_;
  return type_matches(message.type) && (!parts.name || parts.name->holds(value_of(message.name))) &&
         (!parts.uuid || parts.uuid->holds(uuid_of(message))) &&
         (!parts.hostname || parts.hostname->holds(value_of(message.hostname))) &&
         labels_match(message.labels) && rest_matches(message);
}

const std::optional<Condition>& Filter::name() const { return parts_->name; }
const std::optional<Condition>& Filter::uuid() const { return parts_->uuid; }
const std::optional<Condition>& Filter::hostname() const { return parts_->hostname; }

bool Filter::labels_match(std::span<const Label> labels) const {
  if (parts_->any_label && *parts_->any_label == labels.empty()) return false;
  return std::ranges::all_of(parts_->labels, [labels](const auto& asks) {
    const auto found =
        std::ranges::lower_bound(labels, std::string_view(asks.first), {}, &Label::key);
    const bool there = found != labels.end() && found->key == asks.first;
    return asks.second.holds(there ? found->value : Value{});
  });
}

bool Filter::asks_labels() const { return parts_->any_label || !parts_->labels.empty(); }

bool Filter::type_matches(MessageType type) const {
  return !parts_->type || parts_->types.test(static_cast<std::size_t>(type));
}

bool Filter::rest_matches(const MessageView& message) const {
  const Parts& parts = *parts_;
  return (!parts.value || parts.value->holds(message.value)) &&
         (!parts.subject || parts.subject->holds(field_value(message, "subject"))) &&
         (!parts.asks_attn() || parts.attn_holds(field_value(message, "attn"))) &&
         std::ranges::none_of(parts.none_of,
                              [&message](const Filter& filter) { return filter.matches(message); });
}

bool Filter::asks_rest() const {
  return parts_->value || parts_->subject || parts_->asks_attn() || !parts_->none_of.empty();
}

bool Filter::asks_whole() const { return !parts_->none_of.empty(); }

std::string_view Filter::asked(std::string_view key) const {
  const auto found = parts_->asked.find(key);
  return found == parts_->asked.end() ? std::string_view() : found->second;
}

std::vector<Filter::Verdict> Filter::explain(const MessageView& message) const {
  const Parts& parts = *parts_;
  std::vector<Verdict> verdicts;
  const auto judge = [&verdicts](std::string key, const std::optional<Condition>& condition,
                                 const Value& value) {
    if (condition) verdicts.push_back({std::move(key), condition->holds(value), text_of(value)});
  };
  judge("type", parts.type, Value::of(type_name(message.type)));
  judge("name", parts.name, value_of(message.name));
  judge("value", parts.value, message.value);
  judge("uuid", parts.uuid, uuid_of(message));
  judge("hostname", parts.hostname, value_of(message.hostname));
  if (parts.any_label) {
    verdicts.push_back(
        {"labels", labels_match(message.labels), message.labels.empty() ? "absent" : "some"});
  }
  for (const auto& [key, condition] : parts.labels) {
    const Value* const value = message.label(key);
    judge(fmt::format("labels.{}", key), condition, value == nullptr ? Value{} : *value);
  }
  judge("subject", parts.subject, field_value(message, "subject"));
  if (parts.asks_attn()) {
    const Value attn = field_value(message, "attn");
    verdicts.push_back({"attn", parts.attn_holds(attn), text_of(attn)});
  }
  if (!parts.none_of.empty()) {
    std::vector<std::size_t> matching;
    for (std::size_t i = 0; i < parts.none_of.size(); ++i) {
      if (parts.none_of[i].matches(message)) matching.push_back(i + 1);
    }
    verdicts.push_back(
        {"none_of", matching.empty(),
         matching.empty() ? "none of them matches" : fmt::format("{}", fmt::join(matching, ", "))});
  }
  return verdicts;
}

}  // namespace hastur
