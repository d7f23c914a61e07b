#include "trigger-test/ran_lines.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/json.h"
#include "message/json_codec.h"
#include "trigger-test/message_words.h"

namespace hastur {
namespace {

// The value of a field of the message, as JSON; empty if it is absent.
std::string field_value(const MessageView& message, const std::string& field) {
  if (field == "value" && message.value.kind != Value::Kind::absent) {
    if (message.value.kind != Value::Kind::tree) return value_words(message.value);
  }
  Json json;
  std::string text;
  append_message_json(text, message);
  if (const Result<Json> whole = parse_json(text)) {
    if (field == "host")
      json = whole->contains("hostname") ? (*whole)["hostname"] : whole->value("uuid", Json());
    const Json* at = &*whole;
    std::size_t begin = 0;
    while (json.is_null() && at != nullptr && begin <= field.size()) {
      const std::size_t end = std::min(field.find('.', begin), field.size());
      const auto found = at->is_object() ? at->find(field.substr(begin, end - begin)) : at->end();
      at = found == at->end() ? nullptr : &*found;
      begin = end + 1;
    }
    if (json.is_null() && at != nullptr) json = *at;
  }
  return json.is_null() ? "nil" : canonical_json(json);
}

// The names that follow "NAME." in a source: of msg "value", "labels.status".
std::vector<std::string> fields_of(const std::string& source, const std::string& name) {
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  std::vector<std::string> fields;
  for (std::size_t at = source.find(name + "."); at != std::string::npos;
       at = source.find(name + ".", at + 1)) {
    if (at > 0 && (is_name(source[at - 1]) || source[at - 1] == '.')) continue;
    std::size_t end = at + name.size() + 1;
    while (end < source.size() &&
           (is_name(source[end]) ||
            (source[end] == '.' && end + 1 < source.size() && is_name(source[end + 1]))))
      ++end;
    const std::string field = source.substr(at + name.size() + 1, end - at - name.size() - 1);
    const bool is_call = end < source.size() && (source[end] == '(' || source[end] == ':');
    if (!field.empty() && !is_call && std::ranges::find(fields, field) == fields.end())
      fields.push_back(field);
  }
  return fields;
}

// Where a line may have written a state's field by now: it is assigned somewhere in its source.
bool assigns(const std::string& source, const std::string& path) {
  const std::size_t at = source.find(path);
  if (at == std::string::npos) return false;
  const std::size_t next = source.find_first_not_of(" \t", at + path.size());
  return next != std::string::npos && source[next] == '=' &&
         (next + 1 == source.size() || source[next + 1] != '=');
}

const Json* at_path(const Json& state, const std::string& path) {
  const Json* at = &state;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (!at->is_object()) return nullptr;
    const auto found = at->find(path.substr(begin, end - begin));
    if (found == at->end()) return nullptr;
    at = &*found;
    begin = end + 1;
  }
  return at;
}

class LineTeller {
 public:
  LineTeller(const ObservedCall& call, const MessageView& message, const ScriptLines& lines)
      : call_(call), message_(message), lines_(lines) {}

  std::vector<RanLine> tell() {
    std::vector<RanLine> all;
    for (const CallStep& step : call_.steps) {
      RanLine ran{step.script, step.line, lines_.at(step), {}, step.said, step.effects};
      for (const auto& [name, value] : step.locals) locals_[name] = value;
      for (const auto& [name, value] : locals_) tell_local(name, value, ran);
      tell_state(ran);
      ran_ += ran.source + '\n';
      all.push_back(std::move(ran));
    }
    return all;
  }

 private:
  void tell_local(const std::string& name, const std::string& value, RanLine& ran) const {
    if (value == "a msg") {
      for (const std::string& field : fields_of(ran.source, name))
        ran.values.emplace_back(name + "." + field, field_value(message_, field));
      return;
    }
    if (value == "a function" || value == "an object of the runtime" || !mentions(ran.source, name))
      return;
    // Of a table what is asked for, if it is known.
    const Result<Json> table = value.starts_with('{') ? parse_json(value) : Result<Json>(Json());
    const auto fields =
        table && table->is_object() ? fields_of(ran.source, name) : std::vector<std::string>();
    for (const std::string& field : fields) {
      const Json* found = at_path(*table, field);
      ran.values.emplace_back(name + "." + field,
                              found == nullptr ? "nil" : canonical_json(*found));
    }
    if (fields.empty()) ran.values.emplace_back(name, value);
  }

  // Keys of the state are known before the call and, if it did not write them, all along.
  void tell_state(RanLine& ran) const {
    if (!call_.before.is_object()) return;
    for (const std::string& field : fields_of(ran.source, "state")) {
      tell_key("state." + field, field, ran);
    }
    for (const std::string& field : fields_of(ran.source, "ctx.state")) {
      tell_key("ctx.state." + field, field, ran);
    }
  }

  void tell_key(const std::string& shown, const std::string& path, RanLine& ran) const {
    if (assigns(ran.source, shown)) return;
    const Json* before = at_path(call_.before, path);
    const Json* after = at_path(call_.after, path);
    const bool same =
        (before == nullptr) == (after == nullptr) && (before == nullptr || *before == *after);
    if (!same && assigns_any(path)) return;
    const std::string value = before == nullptr ? "nil" : canonical_json(*before);
    const auto entry = std::pair(shown, value);
    if (std::ranges::find(ran.values, entry) == ran.values.end()) ran.values.push_back(entry);
  }
  bool assigns_any(const std::string& path) const {
    std::size_t begin = 0;
    while (begin < ran_.size()) {
      const std::size_t end = std::min(ran_.find('\n', begin), ran_.size());
      if (assigns(ran_.substr(begin, end - begin), path)) return true;
      begin = end + 1;
    }
    return false;
  }

  const ObservedCall& call_;
  const MessageView& message_;
  const ScriptLines& lines_;
  std::map<std::string, std::string> locals_;
  // The sources of what ran before.
  std::string ran_;
};

}  // namespace

std::vector<RanLine> ran_lines(const ObservedCall& call, const MessageView& message,
                               const ScriptLines& lines) {
  return LineTeller(call, message, lines).tell();
}

}  // namespace hastur
