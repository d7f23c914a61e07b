#include "trigger-test/hunt_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "core/json.h"
#include "message/json_codec.h"
#include "message/recording.h"
#include "trigger-test/test_file.h"

namespace hastur {
namespace {

// Few senders and few words: things must happen twice to the same ones.
const std::vector<std::string> senders{"u1", "u2", "u3", "u4"};
// Sometimes one of more: a script may wait for the fifth, or the tenth.
const std::vector<std::string> more_senders{"u5", "u6", "u7", "u8", "u9", "u10", "u11", "u12"};
const std::vector<std::string> free_words{"a", "b", "zürich"};
// What is none to whom takes it for a pattern, or decodes it.
const std::vector<std::string> odd_words{"95% of it", "[main", "%C3%28"};
constexpr int attempts_max = 12;
// As long as a stack trace is.
constexpr std::size_t long_text_bytes = 1'500;
// As long as a line for people is.
constexpr std::size_t wide_text_bytes = 60;
// What no binary number is exactly: sums of such are a little too large or too small.
const std::vector<double> inexact_numbers{0.1, 0.3, 0.7, 1.0 / 3, 99.99};

// What a pattern asks for, without what its signs stand for: "user=.-host=" is "user= host= ".
std::string literal_parts(std::string_view pattern) {
  constexpr std::string_view signs = "^$*+?.([])-%";
  std::string text;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool is_sign = signs.find(pattern[i]) != std::string_view::npos;
    if (pattern[i] == '%') ++i;
    if (!is_sign) {
      text += pattern[i];
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  return text;
}

// Of a subscription that names none.
std::vector<MessageType> all_types() {
  std::vector<MessageType> all;
  for (int id = 0; id < 256; ++id) {
    if (const auto type = type_from_wire_id(static_cast<std::uint8_t>(id))) all.push_back(*type);
  }
  return all;
}

bool has_tree(MessageType type) {
  return type == MessageType::compound || type == MessageType::info_process ||
         type == MessageType::info_agent || type == MessageType::info_ohai ||
         type == MessageType::reg_process;
}

// Whether one without its tree is a message whose shape is sure.
bool may_lack_its_tree(MessageType type) {
  return has_tree(type) && std::ranges::binary_search(optional_fields(type), "data");
}

// Names and kinds are short.
bool may_be_long(std::string_view field) {
  return field == "body" || field == "data" || field == "error";
}

const Json& part(const Json& object, std::string_view key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

Json shortest(double number) {
  const auto whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number ? Json(whole) : Json(number);
}

// Of letters of several bytes: what is cut off may be cut within one.
std::string wide_text(std::size_t bytes, Dice& dice) {
  static const std::vector<std::string> letters{"ü", "€", "😀"};
  const std::string letter = dice.one_of(letters);
  std::string text(dice.below(3), 'x');
  while (text.size() + letter.size() <= bytes) text += letter;
  return text;
}

bool is_whole(const Json& value) {
  return value.is_number() && std::floor(value.get<double>()) == value.get<double>();
}

// Whether it is a range, and its ends are whole numbers.
bool has_whole_ends(const Json& range) {
  return range.is_object() && !range.empty() && std::ranges::all_of(range, is_whole);
}

// Without its fraction, if it is a number.
Json without_fraction(Json value) {
  return value.is_number_float() ? shortest(std::floor(value.get<double>())) : value;
}

}  // namespace

bool takes(const Filter& filter, const std::vector<MessageType>& types, const Json& fields) {
  JsonDecoder decoder;
  Json message = fields;
  message["timestamp"] = message["received_at"] = test_start_us;
  // A nickname is a uuid once it comes in, but filters name whole ones.
  const std::string uuid = message.value("uuid", "");
  if (uuid.size() != 36) message.erase("uuid");
  const std::string text = canonical_json(message);
  JsonDecoder::Defaults defaults;
  defaults.uuid = recording_uuid;
  defaults.recorded = true;
  const auto decoded = decoder.decode(text, defaults);
  const auto* view = std::get_if<MessageView>(&decoded);
  if (view == nullptr || std::ranges::find(types, view->type) == types.end()) return false;
  MessageView seen = *view;
  // What it registers is its sender's name at once.
  if (const auto registered = registered_hostname(seen)) seen.hostname = registered;
  return filter.matches(seen);
}

MessageMaker::MessageMaker(const std::vector<SubscriptionSpec>& subscriptions,
                           const ScriptWords& words, const std::vector<Json>& examples)
    : words_(words) {
  for (const auto* texts : {&words.texts, &words.keys}) {
    for (const std::string& text : *texts) {
      if (!text.empty() && text.size() <= 40 && text.find_first_of("%*/") == std::string::npos)
        known_words_.push_back(text);
    }
  }
  for (const SubscriptionSpec& spec : subscriptions) {
    takes_own_ = takes_own_ || spec.own;
    // The host has parsed it before it believed the worker.
    Subscription one{{}, *parse_json(spec.filter), {}, {}, {}};
    one.filter = *Filter::parse(one.spec);
    for (const MessageType type : spec.types.empty() ? all_types() : spec.types) {
      if (one.filter.type_matches(type) && type != MessageType::ack && type != MessageType::noop &&
          type != MessageType::tick)
        one.types.push_back(type);
    }
    for (const Json& example : examples) {
      if (takes(one.filter, one.types, example)) one.examples.push_back(&example);
    }
    one.whole = whole_ones(one);
    subscriptions_.push_back(std::move(one));
  }
}

// Nothing else is known to come, or it has whole ends and stands for a place in a list.
std::set<std::string> MessageMaker::whole_ones(const Subscription& subscription) const {
  std::set<std::string> whole, broken;
  const auto is_place = [&](const std::string& path) {
    return std::ranges::binary_search(words_.places, path);
  };
  const auto note_example = [&](const std::string& path, const Json& value) {
    if (value.is_number()) (is_whole(value) ? whole : broken).insert(path);
  };
  for (const Json* example : subscription.examples) {
    const Json& labels = part(*example, "labels");
    if (labels.is_object()) {
      for (const auto& [key, value] : labels.items()) note_example("labels." + key, value);
    }
    if (is_place("value")) note_example("value", part(*example, "value"));
  }
  const Json& asked = part(subscription.spec, "labels");
  if (asked.is_object()) {
    for (const auto& [key, range] : asked.items()) {
      if (has_whole_ends(range) && is_place("labels." + key)) whole.insert("labels." + key);
    }
  }
  if (has_whole_ends(part(subscription.spec, "value")) && is_place("value")) whole.insert("value");
  for (const std::string& path : broken) whole.erase(path);
  return whole;
}

// A field of the body that no type is known to have is one that its senders agree on: what they
// send without it cannot be told.
bool MessageMaker::has_real(std::size_t subscription) const {
  static const std::set<std::string_view> known{
      "type",    "name",      "value",    "timestamp", "received_at", "uuid",    "hostname", "host",
      "labels",  "subject",   "body",     "attn",      "data",        "error",   "class",    "tag",
      "timeout", "backtrace", "to_table", "to_json",   "ipv4",        "nodename"};
  const Subscription& one = subscriptions_[subscription];
  for (const std::string& field : words_.fields) {
    if (known.contains(field)) continue;
    if (std::ranges::none_of(one.examples,
                             [&](const Json* example) { return example->contains(field); }))
      return false;
  }
  return !one.examples.empty() || std::ranges::any_of(one.types, [](MessageType type) {
    return !has_tree(type) || may_lack_its_tree(type);
  });
}

std::optional<Json> MessageMaker::make(std::size_t subscription, Kind kind, Dice& dice) const {
  const Subscription& one = subscriptions_[subscription];
  if (one.types.empty()) return std::nullopt;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Json message = draw(one, kind, dice);
    if (!message.is_null() && takes(one.filter, one.types, message)) return message;
  }
  if (!one.examples.empty()) return *dice.one_of(one.examples);
  return std::nullopt;
}

bool MessageMaker::has_free_value(const Json& message) const {
  return std::ranges::none_of(subscriptions_, [&](const Subscription& each) {
    const bool is_bound =
        each.whole.contains("value") || !part(each.spec, "value").is_null() ||
        (!each.examples.empty() && std::ranges::all_of(each.examples, [](const Json* example) {
          return is_whole(part(*example, "value"));
        }));
    return is_bound && takes(each.filter, each.types, message);
  });
}

bool MessageMaker::make_inexact(Json& message, Dice& dice) const {
  if (!part(message, "value").is_number()) return false;
  Json inexact = message;
  inexact["value"] = dice.one_of(inexact_numbers);
  const bool may_be = std::ranges::any_of(subscriptions_, [&](const Subscription& each) {
    return !each.whole.contains("value") && takes(each.filter, each.types, inexact);
  });
  if (may_be) message = std::move(inexact);
  return may_be;
}

Json MessageMaker::draw(const Subscription& subscription, Kind kind, Dice& dice) const {
  Json message;
  if (!subscription.examples.empty()) {
    message = *dice.one_of(subscription.examples);
    if (dice.once_in(4)) return message;
  } else {
    const MessageType type = dice.one_of(subscription.types);
    const bool is_sure = !has_tree(type) || may_lack_its_tree(type);
    if (kind == Kind::real && !is_sure) return {};
    message = new_message(subscription, type, dice);
    if (kind == Kind::real && has_tree(type)) message.erase("data");
  }
  vary(message, subscription, kind, dice);
  return message;
}

Json MessageMaker::new_message(const Subscription& subscription, MessageType type,
                               Dice& dice) const {
  Json message = {{"type", type_name(type)}};
  add_own_fields(message, type, dice);
  for (const char* key : {"name", "subject", "hostname", "attn"}) {
    const Json& condition = part(subscription.spec, key);
    if (condition.is_null()) continue;
    const auto value = meeting(condition, message.value(key, Json(word(dice))), dice);
    if (!value) {
      message.erase(key);
    } else if (std::string_view(key) != "attn") {
      message[key] = *value;
    } else {
      // All of a list that is asked for; of a single name a list of it.
      message[key] = condition.is_array() ? condition : *value;
      if (!message[key].is_array()) message[key] = Json::array({*value});
    }
  }
  return message;
}

// What a sender of this type mostly says.
void MessageMaker::add_own_fields(Json& message, MessageType type, Dice& dice) const {
  switch (type) {
    case MessageType::gauge:
    case MessageType::counter:
    case MessageType::mark:
    case MessageType::compound:
    case MessageType::hb_process:
    case MessageType::hb_agent: {
      std::vector<std::string> dotted;
      for (const std::string& text : words_.texts) {
        if (text.find('.') != std::string::npos && text.find_first_of(" %*/") == std::string::npos)
          dotted.push_back(text);
      }
      message["name"] = dotted.empty() ? "some.name" : dice.one_of(dotted);
      message["value"] = number(dice);
      if (type == MessageType::mark) message["value"] = word(dice);
      if (type == MessageType::compound) message["value"] = {{"a", number(dice)}};
      if (type == MessageType::hb_process || type == MessageType::hb_agent) message["timeout"] = 60;
      break;
    }
    case MessageType::event:
      message["name"] = "some.event";
      message["subject"] = word(dice);
      message["body"] = "";
      message["attn"] = Json::array({"ops"});
      break;
    case MessageType::log:
      message["subject"] = "some.log";
      message["data"] = word(dice);
      break;
    case MessageType::error:
      message["error"] = "it failed";
      break;
    case MessageType::reg_agent:
      message["hostname"] = "web1.example.com";
      message["ipv4"] = "192.0.2.1";
      message["nodename"] = "web1";
      break;
    default:
      message["tag"] = word(dice);
      message["data"] = {{"a", number(dice)}};
  }
}

void MessageMaker::vary(Json& message, const Subscription& subscription, Kind kind,
                        Dice& dice) const {
  message["uuid"] = dice.one_of(dice.once_in(6) ? more_senders : senders);
  if (const auto known = words_.field_texts.find("uuid");
      known != words_.field_texts.end() && dice.once_in(3))
    message["uuid"] = *known->second.begin();
  if (const auto uuid = meeting(part(subscription.spec, "uuid"), message["uuid"], dice))
    message["uuid"] = *uuid;
  vary_value(message, subscription, dice);
  vary_fields(message, subscription, dice);
  const std::string type = message.value("type", "");
  if (part(subscription.spec, "hostname").is_null() && !type.starts_with("reg_") &&
      dice.once_in(3)) {
    message["hostname"] = message.value("uuid", "") + ".example.com";
    for (const char* name : {"hostname", "host"}) {
      if (words_.field_texts.contains(name) && dice.once_in(2))
        message["hostname"] = word_for(words_.field_texts, name, dice);
    }
  }
  vary_labels(message, subscription, kind, dice);
}

void MessageMaker::vary_value(Json& message, const Subscription& subscription, Dice& dice) const {
  const std::string type = message.value("type", "");
  const Json& asked = part(subscription.spec, "value");
  if (type == "gauge" || type == "counter") {
    if (const auto drawn = meeting(asked, number(dice), dice)) message["value"] = *drawn;
    if (subscription.whole.contains("value")) message["value"] = without_fraction(message["value"]);
    if (!asked.is_null()) return;
    // A gauge or a delta may be below zero, whatever the script expects.
    if (dice.once_in(12)) message["value"] = shortest(-number(dice).get<double>());
    // A counter's delta is 1 if it does not say.
    if (type == "counter" && dice.once_in(8)) message.erase("value");
  } else if (type.starts_with("hb_")) {
    // It may say anything, or nothing.
    Json free = number(dice);
    bool is_said = true;
    if (dice.once_in(2)) {
      free = dice.once_in(2) ? Json() : Json(word_for(words_.field_texts, "value", dice));
      if (dice.once_in(3)) free = dice.once_in(2);
      is_said = !asked.is_null() || dice.once_in(2);
    }
    const auto drawn = meeting(asked, free, dice);
    if (drawn && is_said) {
      message["value"] = *drawn;
    } else {
      message.erase("value");
    }
  } else if (type == "mark") {
    const bool null = asked.is_null() && dice.once_in(6);
    Json free = null ? Json() : Json(word_for(words_.field_texts, "value", dice));
    if (!null && dice.once_in(24)) free = wide_text(wide_text_bytes, dice);
    if (const auto drawn = meeting(asked, free, dice)) message["value"] = *drawn;
  }
}

// What the type may have or lack, as far as the filter leaves it free.
void MessageMaker::vary_fields(Json& message, const Subscription& subscription, Dice& dice) const {
  const auto type = type_from_name(message.value("type", ""));
  if (!type) return;
  const auto is_free = [&](std::string_view key) { return part(subscription.spec, key).is_null(); };
  // That it is there, and nothing else.
  const auto asks = [&](std::string_view key) { return part(subscription.spec, key) == true; };
  if (message.contains("name") && is_free("name") && !has_tree(*type) &&
      words_.field_texts.contains("name") && !dice.once_in(3))
    message["name"] = word_for(words_.field_texts, "name", dice);
  for (const char* key : {"subject", "body", "class", "error", "data", "hostname"}) {
    const bool is_own = part(message, key).is_string() && is_free(key);
    if (is_own && (words_.field_texts.contains(key) || dice.once_in(may_be_long(key) ? 2 : 4)))
      message[key] = may_be_long(key) && dice.once_in(5) ? long_text(key, dice)
                                                         : word_for(words_.field_texts, key, dice);
  }
  for (const char* key : {"subject", "body", "data", "error"}) {
    if (part(message, key).is_string() && is_free(key) && dice.once_in(20))
      message[key] = dice.one_of(odd_words);
  }
  if (part(message, "subject").is_string() && (is_free("subject") || asks("subject")) &&
      dice.once_in(16))
    message["subject"] = wide_text(wide_text_bytes, dice);
  // Both may be anything. What it mostly is at its own senders, the tests show.
  const char* anything = *type == MessageType::log     ? "data"
                         : *type == MessageType::error ? "error"
                                                       : nullptr;
  if (anything != nullptr && is_free(anything) && subscription.examples.empty() && dice.once_in(6))
    message[anything] = {{"message", word(dice)}, {"code", number(dice)}};
  if (*type == MessageType::event && (is_free("attn") || asks("attn"))) {
    Json attn = Json::array();
    for (std::size_t i = dice.below(3); i > 0; --i) attn.push_back(word(dice));
    message["attn"] = std::move(attn);
  }
  if (*type == MessageType::hb_agent && is_free("name") && dice.once_in(4)) message.erase("name");
  if (*type == MessageType::error && dice.once_in(2))
    message["class"] = word_for(words_.field_texts, "class", dice);
  if (*type == MessageType::error && subscription.examples.empty() && dice.once_in(12))
    message["class"] = wide_text(wide_text_bytes, dice);
  for (const std::string_view key : optional_fields(*type)) {
    if (!is_free(key)) continue;
    const std::string field(key);
    if (dice.once_in(4)) message.erase(field);
    // As clients write it that were not given one.
    if (dice.once_in(8)) message[field] = Json();
  }
}

void MessageMaker::vary_labels(Json& message, const Subscription& subscription, Kind kind,
                               Dice& dice) const {
  const Json& asked = part(subscription.spec, "labels");
  Json labels = message.value("labels", Json::object());
  const auto is_whole_label = [&](const std::string& key) {
    return subscription.whole.contains("labels." + key);
  };
  const auto free_value = [&](const std::string& key) -> Json {
    const bool counts = std::ranges::binary_search(words_.counted_labels, key);
    const Json& example = part(labels, key);
    if (kind == Kind::odd && dice.once_in(4)) return dice.once_in(2) ? Json() : Json(true);
    if (example.is_boolean() && dice.once_in(2)) return !example.get<bool>();
    if (example.is_string() && dice.once_in(2)) return example;
    const bool numeric = counts || example.is_number() || kind == Kind::odd;
    if (numeric && !dice.once_in(4)) return number(dice);
    // A name may be empty, or written as a number, unless the script or a test says what it is.
    if (example.is_null() && !words_.label_texts.contains(key)) {
      if (dice.once_in(12)) return "";
      if (dice.once_in(8)) return 1 + dice.below(3);
      if (dice.once_in(16)) return wide_text(wide_text_bytes, dice);
    }
    return word_for(words_.label_texts, key, dice);
  };
  std::vector<std::string> keys = words_.labels;
  for (const Json* each : {&std::as_const(labels), &asked}) {
    if (!each->is_object()) continue;
    for (const auto& [key, unused] : each->items()) keys.push_back(key);
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::string& key : keys) {
    const Json& condition = part(asked, key);
    if (condition.is_null() && dice.once_in(4)) {
      labels.erase(key);
      continue;
    }
    const auto value = meeting(condition, free_value(key), dice);
    if (value) {
      labels[key] = is_whole_label(key) ? without_fraction(*value) : *value;
    } else {
      labels.erase(key);
    }
  }
  if (asked.is_boolean() && asked.get<bool>() && labels.empty()) labels["a"] = "b";
  if (labels.empty() || (asked.is_boolean() && !asked.get<bool>())) {
    message.erase("labels");
  } else {
    message["labels"] = labels;
  }
}

// Around what the script compares with. Values of systems are not negative, unless the script
// thinks of such.
Json MessageMaker::number(Dice& dice) const {
  static const std::vector<double> always{0, 1, 2, 5, 50, 100, 1000};
  // Bytes, requests, nanoseconds: what systems count is sometimes large.
  static const std::vector<double> large{1e6, 5e7, 4e9, 1e12};
  if (dice.once_in(16)) return shortest(dice.one_of(large));
  if (dice.once_in(16)) return shortest(dice.one_of(inexact_numbers));
  double number = 0;
  if (words_.numbers.empty() || dice.once_in(4)) {
    number = dice.one_of(always) + (dice.once_in(3) ? 0.25 : 0);
  } else {
    static const std::vector<double> beside{0, 0, 1, -1, 0.5, -0.5, 10};
    number = dice.one_of(words_.numbers) + dice.one_of(beside);
  }
  const bool may_be_negative = !words_.numbers.empty() && words_.numbers.front() < 0;
  return shortest(number < 0 && !may_be_negative ? -number : number);
}

std::string MessageMaker::word(Dice& dice) const {
  if (dice.once_in(32)) return dice.one_of(odd_words);
  return known_words_.empty() || dice.once_in(3) ? dice.one_of(free_words)
                                                 : dice.one_of(known_words_);
}

std::string MessageMaker::word_for(const ScriptWords::Texts& texts, std::string_view name,
                                   Dice& dice) const {
  const auto known = texts.find(name);
  if (known != texts.end() && !dice.once_in(3)) {
    auto text = known->second.begin();
    std::advance(text, dice.below(known->second.size()));
    return *text;
  }
  if (known == texts.end() && dice.once_in(16)) return dice.one_of(odd_words);
  // Few words, so that things happen twice to the same ones.
  return dice.once_in(2) ? dice.one_of(free_words) : word(dice);
}

// What the script looks for in it, over and over: a pattern may begin at each.
std::string MessageMaker::long_text(std::string_view name, Dice& dice) const {
  std::string part = literal_parts(word_for(words_.field_texts, name, dice)) + " ";
  std::string text;
  if (dice.once_in(2)) return wide_text(long_text_bytes, dice);
  while (text.size() + part.size() <= long_text_bytes) text += part;
  return text;
}

std::optional<Json> MessageMaker::meeting(const Json& condition, const Json& free,
                                          Dice& dice) const {
  if (condition.is_null()) return free;
  if (condition.is_boolean()) return condition.get<bool>() ? std::optional(free) : std::nullopt;
  if (condition.is_object()) return condition.empty() ? free : in_range(condition, dice);
  if (condition.is_array()) {
    if (condition.empty()) return free;
    const Json& one = condition[dice.below(condition.size())];
    return one.is_boolean() ? std::optional(one) : meeting(one, free, dice);
  }
  if (!condition.is_string()) return condition;
  std::string text = condition;
  if (text.find('*') != std::string::npos && dice.once_in(2)) {
    std::vector<std::string> taken;
    for (const std::string& known : words_.texts) {
      if (known.find('*') == std::string::npos && wildcard_match(text, known))
        taken.push_back(known);
    }
    if (!taken.empty()) return Json(dice.one_of(taken));
  }
  for (std::size_t at = text.find('*'); at != std::string::npos; at = text.find('*', at + 1))
    text.replace(at, 1, dice.one_of(free_words));
  return Json(text);
}

Json MessageMaker::in_range(const Json& range, Dice& dice) const {
  std::vector<double> edges;
  for (const auto& [unused, edge] : range.items()) {
    if (edge.is_number()) edges.push_back(edge.get<double>());
  }
  const auto limit = [&](const char* key) -> std::optional<double> {
    const Json& found = part(range, key);
    return found.is_number() ? std::optional(found.get<double>()) : std::nullopt;
  };
  const auto above = limit("above"), below = limit("below"), least = limit("at_least"),
             most = limit("at_most");
  const auto holds = [&](double number) {
    return !(above && number <= *above) && !(below && number >= *below) &&
           !(least && number < *least) && !(most && number > *most);
  };
  static const std::vector<double> beside{0, 0, 0.5, -0.5, 1, -1, 5, -5, 100};
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const double drawn = dice.once_in(3) || edges.empty()
                             ? number(dice).get<double>()
                             : dice.one_of(edges) + dice.one_of(beside);
    if (holds(drawn)) return shortest(drawn);
  }
  if (edges.size() == 2) return (edges[0] + edges[1]) / 2;
  return edges.empty() ? Json(1) : shortest(edges[0] + (above || least ? 1 : -1));
}

}  // namespace hastur
