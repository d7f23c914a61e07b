#include "trigger-test/test_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/suggest.h"
#include "message/filter.h"
#include "message/message.h"
#include "trigger-runtime/sources/script_tree.h"

namespace hastur {
namespace {

constexpr std::uint64_t messages_max = 1'000'000;
constexpr std::uint64_t repeats_max = 10'000;
constexpr Micros span_max = std::chrono::hours{24 * 3660};

Failure too_far(std::string_view what) {
  return fail(ErrorCode::invalid,
              fmt::format("{} is too far from the start: a test spans at most {} days", what,
                          span_max / std::chrono::hours{24}));
}

using Keys = std::vector<std::string>;

// Reads the entries of one object; after the first fault it reads nothing more.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string path, const SourcePlaces& places)
      : object_(object), path_(std::move(path)), places_(places) {}

  const std::optional<TestFileError>& error() const { return error_; }
  bool ok() const { return !error_; }
  std::uint32_t line() const { return places_.line(path_); }
  const std::string& path() const { return path_; }

  void refuse(std::string text, std::string_view key = {}) {
    if (error_) return;
    error_ = TestFileError{std::move(text),
                           places_.line(key.empty() ? path_ : fmt::format("{}/{}", path_, key))};
  }
  void refuse(const std::optional<TestFileError>& error) {
    if (!error_) error_ = error;
  }

  // Only `keys` may stand here; `what` names the object.
  void only(const Keys& keys, std::string_view what) {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(keys, key) != keys.end()) continue;
      const std::string meant = nearest(key, keys);
      refuse(fmt::format("{} has no key '{}'{}: it takes {}", what, key,
                         meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant),
                         fmt::join(keys, ", ")),
             key);
      return;
    }
  }

  // Null, also hastur.null, is absent.
  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return !ok() || found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string text(const char* key) {
    const Json* found = find(key);
    if (found == nullptr) return "";
    if (!found->is_string()) refuse(fmt::format("{} must be a text", key), key);
    return ok() ? found->get<std::string>() : "";
  }
  bool truth(const char* key) {
    const Json* found = find(key);
    if (found == nullptr) return false;
    if (!found->is_boolean()) refuse(fmt::format("{} must be true or false", key), key);
    return ok() && found->get<bool>();
  }
  std::optional<std::uint64_t> count(const char* key, std::uint64_t max) {
    const Json* found = find(key);
    if (found == nullptr) return std::nullopt;
    const double number = found->is_number() ? found->get<double>() : 0;
    if (number < 1 || number > static_cast<double>(max) || std::floor(number) != number) {
      refuse(fmt::format("{} must be a whole number from 1 to {}", key, max), key);
      return std::nullopt;
    }
    return static_cast<std::uint64_t>(number);
  }
  std::optional<Micros> offset(const char* key, bool may_be_before = false) {
    const Json* found = find(key);
    if (found == nullptr) return std::nullopt;
    const Result<Micros> read = parse_offset(*found, may_be_before);
    if (!read) refuse(fmt::format("{}: {}", key, read.error().message), key);
    return read ? std::optional(*read) : std::nullopt;
  }
  // A list; an empty table of Lua is one, too. One value alone is a list of it.
  std::vector<Json> list(const char* key) {
    const Json* found = find(key);
    if (found == nullptr || (found->is_object() && found->empty())) return {};
    if (!found->is_array()) return {*found};
    return found->get<std::vector<Json>>();
  }

 private:
  const Json& object_;
  const std::string path_;
  const SourcePlaces& places_;
  std::optional<TestFileError> error_;
};

// ---- messages ----

const Keys& own_message_keys() {
  static const Keys keys{"at", "every", "times", "values", "timestamp", "recording"};
  return keys;
}

// Any other key is a field of the message, so one that is nearly one of ours is taken for a slip.
void refuse_misspelt(const std::string& key, ObjectReader& in) {
  static const Keys known{"type", "name",  "value",     "uuid",    "labels",  "hostname", "subject",
                          "body", "attn",  "data",      "error",   "class",   "tag",      "ipv4",
                          "time", "timer", "backtrace", "timeout", "nodename"};
  static const Keys ours{"every", "times", "values", "timestamp", "recording"};
  if (std::ranges::find(known, key) != known.end()) return;
  const std::string meant = nearest(key, ours);
  if (!meant.empty())
    in.refuse(fmt::format("a message has no key '{}'; did you mean '{}'?", key, meant), key);
}

// The last of so many, so far apart.
void refuse_too_far(Micros first, Micros every, std::uint64_t times, ObjectReader& in) {
  if (times < 2 || every.count() == 0) return;
  const auto more = static_cast<double>(times - 1) * static_cast<double>(every.count());
  if (static_cast<double>(first.count()) + more <= static_cast<double>(span_max.count())) return;
  in.refuse(too_far(fmt::format("the last of {}, as far apart as they are,", times)).error.message,
            "times");
}

void read_tick(MessageSpec& spec, ObjectReader& in) {
  in.only({"type", "at", "deaf", "lost"}, "a tick");
  spec.fields = {{"type", "tick"}};
  spec.deaf = in.offset("deaf").value_or(Micros{0});
  spec.lost = in.offset("lost").value_or(Micros{0});
  if (spec.deaf > Micros{0} && spec.lost > Micros{0})
    in.refuse("a tick has either deaf or lost", "lost");
  for (const auto& [key, span] : {std::pair("deaf", spec.deaf), std::pair("lost", spec.lost)}) {
    if (span <= spec.at) continue;
    in.refuse(fmt::format("{} of a tick is longer than its `at`: a test begins with a tick at its "
                          "start",
                          key),
              key);
  }
}

void refuse_strange_type(const MessageSpec& spec, ObjectReader& in) {
  const auto type = spec.fields.find("type");
  if (type == spec.fields.end())
    return in.refuse("a message needs a type, such as type = \"gauge\" (or recording = \"FILE\")");
  if (!type->is_string()) return in.refuse("type must be a text", "type");
  Keys known;
  for (int id = 0; id < 256; ++id) {
    const auto one = type_from_wire_id(static_cast<std::uint8_t>(id));
    if (one && *one != MessageType::ack && *one != MessageType::noop)
      known.emplace_back(type_name(*one));
  }
  if (std::ranges::find(known, type->get<std::string>()) != known.end()) return;
  const std::string meant = nearest(type->get<std::string>(), known);
  in.refuse(fmt::format("no message has the type {}{}: it is one of {}", type->dump(),
                        meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant),
                        fmt::join(known, ", ")),
            "type");
}

MessageSpec read_message(const Json& json, ObjectReader& in) {
  MessageSpec spec;
  spec.line = in.line();
  spec.at = in.offset("at").value_or(Micros{0});
  if (const auto type = json.find("type"); type != json.end() && *type == "tick") {
    read_tick(spec, in);
    return spec;
  }
  spec.timestamp = in.offset("timestamp", true);
  spec.recording = in.text("recording");
  if (!spec.recording.empty()) {
    in.only({"recording", "at"}, "a recording");
    if (!is_recording_name(spec.recording)) {
      in.refuse(
          fmt::format("the recording {} is no NAME.jsonl or NAME.json: of a repository no other "
                      "files are read, so the gate would not find it",
                      spec.recording),
          "recording");
    }
    return spec;
  }
  spec.values = in.list("values");
  spec.times =
      in.count("times", messages_max).value_or(std::max<std::size_t>(spec.values.size(), 1));
  spec.every = in.offset("every").value_or(std::chrono::seconds{1});
  refuse_too_far(spec.at, spec.every, spec.times, in);
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(own_message_keys(), key) != own_message_keys().end()) continue;
    refuse_misspelt(key, in);
    spec.fields[key] = value;
  }
  refuse_strange_type(spec, in);
  if (!spec.values.empty() && spec.fields.contains("value")) {
    in.refuse("a message has either value or values", "values");
  }
  if (spec.fields.contains("received_at")) {
    in.refuse("a message is received at `at`; the sender's own time is `timestamp`", "received_at");
  }
  return spec;
}

// ---- expectations ----

struct Form {
  // The key that makes an expectation one of this form; its value is what `subject` must be.
  const char* key;
  Expectation::Kind kind;
  const char* subject;
  Keys fields;
};

const std::vector<Form>& forms() {
  using enum Expectation::Kind;
  static const Keys incident{"kind", "text", "details", "options", "to", "severity"};
  static const std::vector<Form> forms{
      {"page", notification, "key", incident},
      {"acknowledge", notification, "key", incident},
      {"resolve", notification, "key", incident},
      {"notification",
       notification,
       "kind",
       {"key", "action", "text", "details", "options", "to", "severity"}},
      {"message",
       message,
       "name",
       {"type", "value", "labels", "uuid", "timestamp", "subject", "body", "attn", "timeout"}},
      {"log", log, "text", {}},
      {"error", error, "text", {"line", "script"}},
      {"state", state, "state", {"whole"}},
      {"state_bytes_max", state, "state", {}},
  };
  return forms;
}

// What a field may only be; empty: anything.
Keys possible(std::string_view field) {
  if (field == "kind") return {"pager_duty", "send_email", "web_hook", "slack", "alertmanager"};
  if (field == "action") return {"trigger", "acknowledge", "resolve"};
  if (field == "severity") return {"critical", "error", "warning", "info"};
  // What hastur.gauge and its like derive.
  if (field == "type") return {"gauge", "counter", "mark", "event", "hb_process", "compound"};
  return {};
}

// What can never come would make `never` hold for ever. `key` stands in the file for `field`.
void refuse_impossible(const Json& value, const char* key, std::string_view field,
                       ObjectReader& in) {
  const Keys values = possible(field);
  if (values.empty() || value.is_null()) return;
  const auto* text = value.get_ptr<const std::string*>();
  if (text != nullptr && std::ranges::any_of(values, [&](const std::string& each) {
        return wildcard_match(*text, each);
      }))
    return;
  const std::string meant = text == nullptr ? "" : nearest(*text, values);
  in.refuse(fmt::format("{} can never be {}{}: it is one of {}", key, value.dump(),
                        meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant),
                        fmt::join(values, ", ")),
            key);
}

const Form* form_of(const Json& json, ObjectReader& in) {
  const Form* found = nullptr;
  Keys names;
  for (const Form& form : forms()) {
    names.emplace_back(form.key);
    if (!json.contains(form.key)) continue;
    if (found != nullptr) {
      in.refuse(fmt::format("an expectation is either {} or {}", found->key, form.key), form.key);
      return nullptr;
    }
    found = &form;
  }
  if (found == nullptr) {
    std::string meant;
    for (const auto& [key, value] : json.items()) {
      if (meant.empty()) meant = nearest(key, names);
    }
    in.refuse(fmt::format("an expectation needs one of {}{}", fmt::join(names, ", "),
                          meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
  }
  return found;
}

void read_subject(const Form& form, const Json& json, ObjectReader& in, Expectation& expectation) {
  const Json& subject = json.at(form.key);
  const std::string_view key = form.key;
  expectation.kind = form.kind;
  if (key == "state_bytes_max") {
    expectation.state_bytes_max = in.count(form.key, std::uint64_t{1} << 40);
    expectation.title = "state";
    return;
  }
  if (form.kind == Expectation::Kind::state) {
    if (!subject.is_object()) return in.refuse("state must be a table of what is in it", "state");
    expectation.wanted = subject;
    expectation.title = "state";
    return;
  }
  if (!subject.is_string()) return in.refuse(fmt::format("{} must be a text", key), key);
  expectation.wanted[form.subject] = subject;
  expectation.title = fmt::format("{} {}", key, subject.get<std::string>());
  if (key == "page" || key == "acknowledge" || key == "resolve") {
    expectation.wanted["action"] = key == "page" ? "trigger" : key;
  }
  if (key == "page" && !json.contains("kind")) expectation.wanted["kind"] = "pager_duty";
  refuse_impossible(subject, form.key, form.subject, in);
  for (const std::string& field : form.fields) {
    if (!json.contains(field)) continue;
    expectation.wanted[field] = json.at(field);
    refuse_impossible(json.at(field), field.c_str(), field, in);
  }
}

// Adds the expectation, as often as it repeats.
void read_expectation(const Json& json, ObjectReader& in, std::vector<Expectation>& out) {
  const Form* form = form_of(json, in);
  if (form == nullptr) return;
  Keys keys{form->key, "at", "between", "every", "times", "never"};
  keys.insert(keys.end(), form->fields.begin(), form->fields.end());
  in.only(keys, fmt::format("an expectation of {}", form->key));

  Expectation expectation;
  expectation.line = in.line();
  read_subject(*form, json, in, expectation);
  expectation.never = in.truth("never");
  if (form->kind == Expectation::Kind::state) expectation.whole = in.truth("whole");
  const auto at = in.offset("at");
  expectation.from = at;
  expectation.to = at;
  if (const Json* between = in.find("between")) {
    const bool pair = between->is_array() && between->size() == 2;
    const auto from = pair ? parse_offset(between->at(0)) : Result<Micros>(Micros{0});
    const auto to = pair ? parse_offset(between->at(1)) : Result<Micros>(Micros{0});
    for (const auto* each : {&from, &to}) {
      if (!*each) return in.refuse("between: " + each->error().message, "between");
    }
    if (!pair || *from > *to) {
      return in.refuse("between must be two times, the earlier first: { \"30s\", \"1m\" }",
                       "between");
    }
    if (at) return in.refuse("an expectation has either at or between", "between");
    if (form->kind == Expectation::Kind::state)
      return in.refuse("a state is expected `at` a time", "between");
    expectation.from = *from;
    expectation.to = *to;
  }
  const std::uint64_t times = in.count("times", repeats_max).value_or(1);
  const auto every = in.offset("every");
  if (every && !at) in.refuse("an expectation that comes every so often needs an at", "every");
  if (times > 1 && at && !every)
    in.refuse("times of an expectation with at needs an every", "times");
  if (at && every) refuse_too_far(*at, *every, times, in);
  if (times > 1 && expectation.never) in.refuse("what must never come has no times", "times");
  for (std::uint64_t i = 0; i < times && in.ok(); ++i) {
    out.push_back(expectation);
    if (!every) continue;
    *expectation.from += *every;
    *expectation.to += *every;
  }
}

// ---- tests ----

TestCase read_case(const Json& json, ObjectReader& in, const SourcePlaces& places,
                   std::size_t number) {
  TestCase test;
  test.line = in.line();
  in.only({"name", "start", "ends", "messages", "expect", "nothing_else"}, "a test");
  test.name = in.text("name");
  if (test.name.empty()) test.name = fmt::format("test {}", number);
  test.nothing_else = in.truth("nothing_else");
  test.ends = in.offset("ends").value_or(Micros{0});
  if (const std::string start = in.text("start"); !start.empty()) {
    const Result<Time> time = parse_time(start);
    if (!time) {
      in.refuse(time.error().message, "start");
    } else if (normalise_timestamp(to_us(*time)) != *time) {
      in.refuse("a test begins between 1971 and 2100, as messages do", "start");
    } else {
      test.start = *time;
    }
  }
  if (!json.contains("messages") && !json.contains("expect")) {
    in.refuse("a test needs messages and what to expect: { messages = { … }, expect = { … } }");
  }
  std::uint64_t total = 0;
  const auto each = [&](const char* key, const auto& read) {
    const std::vector<Json> entries = in.list(key);
    for (std::size_t i = 0; i < entries.size() && in.ok(); ++i) {
      ObjectReader entry(entries[i], fmt::format("{}/{}/{}", in.path(), key, i), places);
      if (entries[i].is_object()) {
        read(entries[i], entry);
      } else {
        entry.refuse(fmt::format("an entry of {} must be a table", key));
      }
      in.refuse(entry.error());
    }
  };
  each("messages", [&](const Json& entry, ObjectReader& reader) {
    test.messages.push_back(read_message(entry, reader));
    total += test.messages.back().times;
    if (total > messages_max)
      reader.refuse(fmt::format("a test has at most {} messages", messages_max));
  });
  each("expect", [&](const Json& entry, ObjectReader& reader) {
    read_expectation(entry, reader, test.expect);
  });
  return test;
}

}  // namespace

std::optional<TestFileError> read_test_file(const Json& data, const SourcePlaces& places,
                                            TestFile& file) {
  const bool list = data.is_array();
  if ((!list && !data.is_object()) || data.empty()) {
    return TestFileError{
        "a test file holds a test, { messages = { … }, expect = { … } }, or a list of tests",
        places.line("")};
  }
  const std::size_t count = list ? data.size() : 1;
  for (std::size_t i = 0; i < count; ++i) {
    const Json& json = list ? data[i] : data;
    ObjectReader in(json, list ? fmt::format("/{}", i) : "", places);
    if (!json.is_object()) {
      in.refuse("a test must be a table with messages and expect");
    } else {
      file.cases.push_back(read_case(json, in, places, i + 1));
    }
    if (!in.ok()) return in.error();
  }
  return std::nullopt;
}

Result<Micros> parse_offset(const Json& json, bool may_be_before) {
  if (json.is_number()) {
    const double seconds = json.get<double>();
    if (may_be_before && seconds < 0) {
      const Result<Micros> ahead = parse_offset(Json(-seconds));
      return ahead ? Result<Micros>(-*ahead) : ahead;
    }
    if (seconds > static_cast<double>(span_max.count()) / us_per_second)
      return too_far(json.dump());
    if (seconds >= 0) return Micros{std::llround(seconds * us_per_second)};
  } else if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (text == "0") return Micros{0};
    if (may_be_before && text.starts_with('-')) {
      const Result<Micros> ahead = parse_offset(Json(text.substr(1)));
      return ahead ? Result<Micros>(-*ahead) : ahead;
    }
    const Result<Micros> span = parse_span(text);
    if (span && *span > span_max) return too_far(text);
    if (span) return *span;
  }
  return fail(ErrorCode::invalid,
              "a time counts from the start of the test, \"35s\", \"1h5m\" or a number of seconds");
}

std::string format_offset(Micros offset) {
  const std::int64_t us = std::abs(offset.count());
  const std::int64_t seconds = us / us_per_second;
  std::string text = offset.count() < 0 ? "-" : "";
  if (seconds >= 86'400) text += fmt::format("{}d ", seconds / 86'400);
  text += fmt::format("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  if (us % us_per_second != 0) {
    std::string rest = fmt::format(".{:06}", us % us_per_second);
    while (rest.back() == '0') rest.pop_back();
    text += rest;
  }
  return text;
}

}  // namespace hastur
