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

// Whether a line assigns what stands at a path, and does not read it besides.
bool is_only_written(const std::string& source, const std::string& path) {
  const std::size_t at = source.find(path);
  if (at == std::string::npos || source.find(path, at + 1) != std::string::npos) return false;
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

}  // namespace

StateAtLines::StateAtLines(const ObservedCall& call, const ScriptLines& lines)
    : lines_(lines), state_(call.before) {}

void StateAtLines::advance(const CallStep& step) {
  if (!state_.is_object()) return;
  for (const auto& [key, value] : step.state) {
    unknown_.erase(key);
    if (value == "nil") {
      state_.erase(key);
    } else if (Result<Json> json = parse_json(value)) {
      state_[key] = std::move(*json);
    } else {
      unknown_.insert(key);
    }
  }
}

std::vector<std::pair<std::string, std::string>> StateAtLines::mentioned(
    const std::string& source) const {
  std::vector<std::pair<std::string, std::string>> values;
  if (!state_.is_object()) return values;
  for (const std::string& name : lines_.state_names()) {
    for (const std::string& path : fields_of(source, name)) {
      const std::string shown = name + "." + path;
      // ctx.state is told by its own name.
      const bool is_state = path == "state" || path.starts_with("state.");
      if ((is_state && name.find('.') == std::string::npos) || is_only_written(source, shown) ||
          unknown_.contains(path.substr(0, path.find('.'))))
        continue;
      const Json* value = at_path(state_, path);
      values.emplace_back(shown, value == nullptr ? "nil" : canonical_json(*value));
    }
  }
  return values;
}

namespace {

class LineTeller {
 public:
  LineTeller(const ObservedCall& call, const MessageView& message, const ScriptLines& lines)
      : call_(call), message_(message), lines_(lines), state_(call, lines) {}

  std::vector<RanLine> tell() {
    std::vector<RanLine> all;
    for (const CallStep& step : call_.steps) {
      RanLine ran{step.script, step.line, lines_.at(step), {}, {}, step.said, step.effects};
      for (const auto& [name, value] : step.locals) locals_[name] = value;
      for (const auto& [name, value] : locals_) {
        if (!lines_.has_local(step, name)) continue;
        tell_local(name, value, ran);
        if (value.starts_with('"')) ran.texts.emplace_back(name, value);
      }
      state_.advance(step);
      for (auto& value : state_.mentioned(ran.source)) {
        const auto same = [&](const auto& each) { return each.first == value.first; };
        if (std::ranges::none_of(ran.values, same)) ran.values.push_back(std::move(value));
      }
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

  const ObservedCall& call_;
  const MessageView& message_;
  const ScriptLines& lines_;
  std::map<std::string, std::string> locals_;
  StateAtLines state_;
};

}  // namespace

std::vector<RanLine> ran_lines(const ObservedCall& call, const MessageView& message,
                               const ScriptLines& lines) {
  return LineTeller(call, message, lines).tell();
}

}  // namespace hastur
