#include "tests/message/naive_filter.h"

#include <algorithm>
#include <vector>

#include "core/json.h"

namespace hastur::testing {

bool naive_wildcard(const std::string& pattern, const std::string& text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (naive_wildcard(pattern.substr(1), text.substr(i))) return true;
    }
    return false;
  }
  return !text.empty() && pattern[0] == text[0] &&
         naive_wildcard(pattern.substr(1), text.substr(1));
}

namespace {

// `found` is discarded where the message has no such thing.
bool naive_equals(const Json& wanted, const Json& found, bool wildcards) {
  if (found.is_discarded() || found.is_structured()) return false;
  if (wildcards && wanted.is_string() && found.is_string()) {
    return naive_wildcard(wanted.get<std::string>(), found.get<std::string>());
  }
  if (wanted.is_number() && found.is_number()) return wanted.get<double>() == found.get<double>();
  return wanted.type() == found.type() && wanted == found;
}

bool naive_range(const Json& range, const Json& found) {
  if (!found.is_number()) return false;
  const double number = found.get<double>();
  return (!range.contains("above") || number > range["above"].get<double>()) &&
         (!range.contains("below") || number < range["below"].get<double>()) &&
         (!range.contains("at_least") || number >= range["at_least"].get<double>()) &&
         (!range.contains("at_most") || number <= range["at_most"].get<double>());
}

bool naive_holds(const Json& asked, const Json& found, bool wildcards) {
  if (asked.is_boolean()) return asked.get<bool>() != found.is_discarded();
  if (asked.is_object()) return naive_range(asked, found);
  if (!asked.is_array()) return naive_equals(asked, found, wildcards);
  return std::any_of(asked.begin(), asked.end(), [&](const Json& one) {
    return one.is_object() ? naive_range(one, found) : naive_equals(one, found, wildcards);
  });
}

std::string naive_lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Json naive_lowered(Json asked) {
  if (asked.is_string()) return naive_lower(asked.get<std::string>());
  if (asked.is_array()) {
    for (Json& one : asked) one = naive_lowered(one);
  }
  return asked;
}

}  // namespace

bool naive_matches(const Json& filter, const MessageParts& message) {
  const Json nothing = Json::value_t::discarded;
  const auto optional = [&](const std::optional<std::string>& text) {
    return text ? Json(*text) : nothing;
  };
  const auto field = [&](const char* key) {
    return message.fields.contains(key) ? message.fields[key] : nothing;
  };
  for (const auto& [key, asked] : filter.items()) {
    bool holds = true;
    if (key == "name") holds = naive_holds(asked, optional(message.name), true);
    if (key == "value") holds = naive_holds(asked, message.value, false);
    if (key == "type") holds = naive_holds(asked, std::string(type_name(message.type)), false);
    if (key == "subject") holds = naive_holds(asked, field("subject"), true);
    if (key == "uuid") holds = naive_holds(naive_lowered(asked), message.uuid, false);
    if (key == "hostname") holds = naive_holds(asked, optional(message.hostname), true);
    if (key == "labels" && asked.is_boolean()) holds = asked.get<bool>() != message.labels.empty();
    if (key == "labels" && asked.is_object()) {
      for (const auto& [label, one] : asked.items()) {
        const auto found = message.labels.find(label);
        holds = holds &&
                naive_holds(one, found == message.labels.end() ? nothing : found->second, true);
      }
    }
    if (key == "attn" && !asked.is_string() && !asked.is_array())
      holds = naive_holds(asked, field("attn"), false);
    if (key == "attn" && (asked.is_string() || asked.is_array())) {
      for (const Json& who : asked.is_string() ? Json::array({asked}) : asked) {
        const Json attn = field("attn");
        holds = holds && attn.is_array() && std::find(attn.begin(), attn.end(), who) != attn.end();
      }
    }
    if (key == "none_of") {
      for (const Json& one : asked.is_array() ? asked : Json::array({asked})) {
        holds = holds && !naive_matches(one, message);
      }
    }
    if (!holds) return false;
  }
  return true;
}

namespace {

// One of `texts`, sometimes with a star in it.
rc::Gen<Json> gen_pattern(rc::Gen<std::string> texts) {
  return rc::gen::exec([texts] {
    std::string text = *texts;
    if (*rc::gen::inRange(0, 3) == 0) {
      const auto from = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
      const auto to = *rc::gen::inRange<std::size_t>(from, text.size() + 1);
      text.replace(from, to - from, "*");
    }
    return Json(text);
  });
}

rc::Gen<Json> gen_range() {
  return rc::gen::exec([] {
    Json range = Json::object();
    for (const char* key : {"above", "below", "at_least", "at_most"}) {
      if (*rc::gen::inRange(0, 3) == 0) range[key] = *gen_number();
    }
    if (range.empty()) range["above"] = *gen_number();
    return range;
  });
}

rc::Gen<Json> gen_asked(rc::Gen<Json> scalars, bool ranges) {
  return rc::gen::exec([scalars, ranges]() -> Json {
    switch (*rc::gen::inRange(0, ranges ? 8 : 6)) {
      case 0:
        return true;
      case 1:
        return false;
      case 2: {
        Json list = Json::array();
        for (int left = *rc::gen::inRange(1, 4); left > 0; --left) {
          const int sort = *rc::gen::inRange(0, 8);
          if (sort == 0) {
            list.push_back(*gen_scalar());
          } else if (sort == 1 && ranges) {
            list.push_back(*gen_range());
          } else {
            list.push_back(*scalars);
          }
        }
        return list;
      }
      case 6:
      case 7:
        return *gen_range();
      default:
        return *scalars;
    }
  });
}

}  // namespace

rc::Gen<Json> gen_filter(int depth) {
  return rc::gen::exec([depth] {
    Json filter = Json::object();
    const auto sometimes = [](int of) { return *rc::gen::inRange(0, of) == 0; };
    const auto any_scalar = gen_scalar();
    if (sometimes(2)) filter["name"] = *gen_asked(gen_pattern(gen_name()), false);
    if (sometimes(4)) filter["value"] = *gen_asked(any_scalar, true);
    if (sometimes(5)) {
      const auto name = rc::gen::map(
          gen_type(), [](MessageType type) { return Json(std::string(type_name(type))); });
      filter["type"] = sometimes(2) ? *name : Json::array({*name, *name});
    }
    if (sometimes(6)) {
      const auto who = rc::gen::elementOf(std::vector<Json>{"ops", "dev", "oncall"});
      filter["attn"] = *rc::gen::oneOf(
          who, rc::gen::elementOf(std::vector<Json>{true, false, nullptr}),
          rc::gen::map(rc::gen::pair(who, who), [](const std::pair<Json, Json>& two) {
            return Json::array({two.first, two.second});
          }));
    }
    if (sometimes(5)) filter["subject"] = *gen_asked(gen_pattern(gen_text()), false);
    if (sometimes(8)) {
      filter["labels"] = sometimes(2);
    } else if (sometimes(3)) {
      filter["labels"] = Json::object();
      for (const char* key : {"app", "pid", "canary"}) {
        if (sometimes(2)) {
          filter["labels"][key] =
              *gen_asked(rc::gen::oneOf(any_scalar, gen_pattern(gen_text())), true);
        }
      }
    }
    if (sometimes(5)) {
      filter["uuid"] = *gen_asked(rc::gen::map(gen_uuid(),
                                               [](std::string uuid) {
                                                 for (char& c : uuid)
                                                   c = static_cast<char>(std::toupper(c));
                                                 return Json(uuid);
                                               }),
                                  false);
    }
    if (sometimes(5)) filter["hostname"] = *gen_asked(gen_pattern(gen_text()), false);
    if (depth > 0 && sometimes(4)) {
      const Json one = *gen_filter(depth - 1);
      filter["none_of"] =
          sometimes(2) && !one.empty() ? one : Json::array({one, *gen_filter(depth - 1)});
    }
    return filter;
  });
}

void showValue(const MessageParts& parts, std::ostream& out) {
  hastur::showValue(build_message(parts), out);
}

}  // namespace hastur::testing
