#include "tests/message/generators.h"

#include <algorithm>
#include <array>

#include "core/json.h"

namespace hastur::testing {

std::string to_msgpack(const Json& json) {
  std::string out;
  Json::to_msgpack(json, out);
  return out;
}

Value value_of_json(const Json& json, std::string& text) {
  switch (json.type()) {
    case Json::value_t::discarded:
      return {};
    case Json::value_t::null:
      return Value::of_null();
    case Json::value_t::boolean:
      return Value::of_boolean(json.get<bool>());
    case Json::value_t::string:
      return Value::of(std::string_view(json.get_ref<const std::string&>()));
    case Json::value_t::object:
    case Json::value_t::array:
      text = to_msgpack(json);
      return Value::of_tree(text);
    default:
      return Value::of(json.get<double>());
  }
}

Message build_message(const MessageParts& parts) {
  MessageView view;
  view.type = parts.type;
  if (parts.name) view.name = *parts.name;
  std::string tree;
  view.value = value_of_json(parts.value, tree);
  view.timestamp = time_from_us(parts.timestamp_us);
  view.received_at = time_from_us(parts.received_us);
  view.uuid = parts.uuid;
  if (parts.hostname) view.hostname = *parts.hostname;
  std::vector<Label> labels;
  std::string unused;
  for (const auto& [key, value] : parts.labels)
    labels.push_back({key, value_of_json(value, unused)});
  view.labels = labels;
  const std::string fields = parts.fields.empty() ? "" : to_msgpack(parts.fields);
  view.fields = fields;
  if (parts.origin) {
    view.origin =
        Origin{parts.origin->trigger, Run{parts.origin->run}, Sequence{parts.origin->sequence},
               parts.origin->ordinal, parts.origin->depth,    parts.origin->correction};
  }
  view.deaf = Micros{parts.deaf_us};
  return Message(view);
}

rc::Gen<std::string> gen_text() {
  return rc::gen::weightedOneOf<std::string>(
      {{8, rc::gen::elementOf(std::vector<std::string>{"", "a", "b", "ab", "web-1", "web-2", "x*y",
                                                       "5", "true", "null"})},
       {2, rc::gen::elementOf(std::vector<std::string>{
               "\xC3\xA9t\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x94\xA5", "a\"b\\c",
               "line\nbreak\ttab", std::string("nul\0in", 6), "\x7F"})},
       {1, rc::gen::container<std::string>(rc::gen::inRange(' ', '~'))}});
}

rc::Gen<std::string> gen_name() {
  return rc::gen::weightedOneOf<std::string>(
      {{9, rc::gen::elementOf(std::vector<std::string>{"cpu.load", "cpu.idle", "mem.free",
                                                       "net.eth0.rx", "net.eth1.rx",
                                                       "ots.transcoding.load", "a", "b"})},
       {1, gen_text()}});
}

rc::Gen<std::string> gen_uuid() {
  return rc::gen::elementOf(std::vector<std::string>{"8e58af00-708c-012f-e468-64ce8f3a9dc2",
                                                     "00000000-0000-0000-0000-000000000001",
                                                     "ffffffff-ffff-4fff-bfff-ffffffffffff"});
}

rc::Gen<double> gen_number() {
  return rc::gen::weightedOneOf<double>(
      {{6, rc::gen::map(rc::gen::inRange(-3, 8), [](int n) { return static_cast<double>(n); })},
       {2, rc::gen::elementOf(
               std::vector<double>{0.5, 0.1, -0.0, 1e300, 5e-324, 371.1, 9007199254740993.0})},
       {2, rc::gen::map(rc::gen::inRange<std::int64_t>(-1'000'000'000, 1'000'000'000),
                        [](std::int64_t n) { return static_cast<double>(n) / 1024.0; })}});
}

rc::Gen<Json> gen_scalar() {
  return rc::gen::oneOf(
      rc::gen::map(gen_text(), [](std::string text) { return Json(std::move(text)); }),
      rc::gen::map(gen_number(), [](double number) { return Json(number); }),
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool truth) { return Json(truth); }),
      rc::gen::just(Json(nullptr)));
}

rc::Gen<Json> gen_tree(int depth) {
  return rc::gen::exec([depth] {
    const bool array = *rc::gen::arbitrary<bool>();
    Json tree = array ? Json::array() : Json::object();
    for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
      const bool nested = depth > 0 && *rc::gen::inRange(0, 4) == 0;
      Json element = nested ? *gen_tree(depth - 1) : *gen_scalar();
      if (array) {
        tree.push_back(std::move(element));
      } else {
        tree[*gen_text()] = std::move(element);
      }
    }
    return tree;
  });
}

rc::Gen<std::map<std::string, Json>> gen_labels() {
  return rc::gen::exec([] {
    const auto gen_key = rc::gen::weightedOneOf<std::string>(
        {{8, rc::gen::elementOf(std::vector<std::string>{"app", "pid", "canary", "send_to"})},
         {1, gen_text()}});
    std::map<std::string, Json> labels;
    for (int left = *rc::gen::inRange(0, 4); left > 0; --left) labels[*gen_key] = *gen_scalar();
    return labels;
  });
}

rc::Gen<MessageType> gen_type() {
  using enum MessageType;
  return rc::gen::weightedOneOf<MessageType>(
      {{3, rc::gen::just(gauge)},
       {5, rc::gen::elementOf(std::vector<MessageType>{event, log, error, mark, counter, compound,
                                                       reg_agent, reg_process, hb_agent, hb_process,
                                                       info_process, info_agent, info_ohai})}});
}

void add_own_fields(MessageParts& parts) {
  using enum MessageType;
  const auto set = [&parts](const char* key, Json value) { parts.fields[key] = std::move(value); };
  switch (parts.type) {
    case gauge:
    case counter:
      parts.name = *gen_name();
      parts.value = *gen_number();
      break;
    case mark:
      parts.name = *gen_name();
      parts.value = *rc::gen::arbitrary<bool>() ? Json(*gen_text()) : Json(nullptr);
      break;
    case compound:
      parts.name = *gen_name();
      parts.value = *gen_tree();
      break;
    case event: {
      parts.name = *gen_name();
      set("subject", *gen_text());
      set("body", *gen_text());
      Json attn = Json::array();
      for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
        attn.push_back(*rc::gen::elementOf(std::vector<std::string>{"ops", "dev", "oncall"}));
      }
      set("attn", attn);
      break;
    }
    case log:
      set("subject", *gen_text());
      set("data", *gen_tree(1));
      break;
    case error:
      set("error", *gen_text());
      set("class", *gen_text());
      set("data", *gen_text());
      set("backtrace", Json::array({*gen_text()}));
      break;
    case hb_agent:
    case hb_process:
      parts.name = *gen_name();
      parts.value = *gen_number();
      set("timeout", *rc::gen::inRange(1, 100));
      break;
    case reg_agent:
      set("hostname", *gen_text());
      set("ipv4", "10.0.0.1");
      break;
    case reg_process:
      set("data", *gen_tree(1));
      break;
    case info_process:
    case info_agent:
      set("tag", *gen_text());
      set("data", *gen_tree(1));
      break;
    default:
      set("platform", *gen_tree(1));
      break;
  }
  // A field that the type does not know, kept like any other.
  if (parts.value.is_discarded() && *rc::gen::inRange(0, 4) == 0) {
    parts.value = *rc::gen::oneOf(gen_scalar(), gen_tree());
  }
}

rc::Gen<MessageParts> gen_parts() {
  return rc::gen::exec([] {
    MessageParts parts;
    parts.type = *gen_type();
    // 1971 to 2100, what a timestamp in µs may be.
    parts.timestamp_us = *rc::gen::inRange<std::int64_t>(31'536'000'000'000, 4'102'444'800'000'000);
    parts.received_us = *rc::gen::inRange<std::int64_t>(31'536'000'000'000, 4'102'444'800'000'000);
    parts.uuid = *gen_uuid();
    add_own_fields(parts);
    if (!is_registration(parts.type) && *rc::gen::arbitrary<bool>()) parts.hostname = *gen_text();
    if (parts.hostname && parts.hostname->empty()) parts.hostname.reset();
    parts.labels = *gen_labels();
    if (*rc::gen::inRange(0, 4) == 0) parts.fields["x_unknown"] = *gen_tree(1);
    return parts;
  });
}

rc::Gen<Message> gen_message() { return rc::gen::map(gen_parts(), build_message); }

rc::Gen<Message> gen_row() {
  return rc::gen::exec([] {
    const int sort = *rc::gen::inRange(0, 8);
    if (sort == 0) {
      MessageParts tick;
      tick.type = MessageType::tick;
      tick.timestamp_us =
          *rc::gen::inRange<std::int64_t>(31'536'000, 4'102'444'800) * us_per_second;
      tick.received_us = tick.timestamp_us + *rc::gen::inRange(0, 2'000'000);
      tick.deaf_us = *rc::gen::element<std::int64_t>(0, 5'000'000);
      return build_message(tick);
    }
    MessageParts parts = *gen_parts();
    if (sort == 1) {
      // It comes from a trigger, which is on no host.
      parts.hostname.reset();
      parts.origin =
          MessageParts::From{*rc::gen::elementOf(std::vector<std::string>{"a", "billing/load"}),
                             *rc::gen::inRange<std::uint64_t>(1, 9),
                             *rc::gen::inRange<std::uint64_t>(1, 1'000'000),
                             *rc::gen::inRange<std::uint32_t>(0, 5),
                             static_cast<std::uint8_t>(*rc::gen::inRange(1, 9)),
                             *rc::gen::arbitrary<bool>()};
    }
    return build_message(parts);
  });
}

rc::Gen<std::vector<Message>> gen_rows() {
  return rc::gen::exec([] {
    std::vector<Message> rows;
    Time newest{};
    for (int left = *rc::gen::inRange(0, 17); left > 0; --left) {
      const Message row = *gen_row();
      MessageView view = row.view();
      newest = view.received_at = std::max(newest, view.received_at);
      rows.emplace_back(view);
    }
    return rows;
  });
}

}  // namespace hastur::testing

namespace hastur {

void showValue(const Message& message, std::ostream& out) {
  const MessageView& view = message.view();
  out << type_name(view.type) << " name=" << view.name.value_or("(none)") << " value("
      << static_cast<int>(view.value.kind) << ")=" << view.value.number << " labels={";
  for (const Label& label : view.labels) {
    out << label.key << "(" << static_cast<int>(label.value.kind) << ")=" << label.value.number
        << label.value.text << ",";
  }
  out << "} uuid=" << view.uuid << " hostname=" << view.hostname.value_or("(none)") << " fields=";
  if (!view.fields.empty())
    out << Json::from_msgpack(view.fields).dump(-1, ' ', false, Json::error_handler_t::replace);
  out << " origin=" << (view.origin ? view.origin->trigger : "(none)") << " at "
      << to_us(view.timestamp) << "/" << to_us(view.received_at) << "\n";
}

}  // namespace hastur
