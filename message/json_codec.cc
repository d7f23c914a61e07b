#include "message/json_codec.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "message/msgpack.h"

namespace hastur {
namespace {

namespace dom = simdjson::dom;
using Refused = JsonDecoder::Refused;

// What an object said last under one key.
struct Entry {
  std::string_view key;
  dom::element value;
};

// What messages of a type carry as `value`.
enum class ValueRule { anything, number, delta, text_or_null, tree, any_scalar };

ValueRule value_rule(MessageType type) {
  switch (type) {
    case MessageType::gauge:
      return ValueRule::number;
    case MessageType::counter:
      return ValueRule::delta;
    case MessageType::mark:
      return ValueRule::text_or_null;
    case MessageType::compound:
      return ValueRule::tree;
    case MessageType::hb_process:
    case MessageType::hb_agent:
      return ValueRule::any_scalar;
    default:
      return ValueRule::anything;
  }
}

bool needs_name(MessageType type) {
  switch (type) {
    case MessageType::gauge:
    case MessageType::counter:
    case MessageType::mark:
    case MessageType::compound:
    case MessageType::event:
    case MessageType::hb_process:
      return true;
    default:
      return false;
  }
}

bool is_number(dom::element element) {
  const dom::element_type type = element.type();
  return type == dom::element_type::DOUBLE || type == dom::element_type::INT64 ||
         type == dom::element_type::UINT64;
}

bool is_string(dom::element element) { return element.type() == dom::element_type::STRING; }
bool is_null(dom::element element) { return element.type() == dom::element_type::NULL_VALUE; }

std::string_view text_of(dom::element element) { return element.get_string().value_unsafe(); }

// Whether `element` is a number, string, boolean or null; then `out`, which was absent, is it. (Not
// returned: an optional of this size is copied through memory, at a tenth of the cost of decoding a
// message.)
bool read_scalar(dom::element element, Value& out) {
  const auto set_number = [&out](double number) {
    out.kind = Value::Kind::number;
    out.number = number;
  };
  switch (element.type()) {
    case dom::element_type::DOUBLE:
      set_number(element.get_double().value_unsafe());
      return true;
    case dom::element_type::INT64:
      set_number(static_cast<double>(element.get_int64().value_unsafe()));
      return true;
    case dom::element_type::UINT64:
      set_number(static_cast<double>(element.get_uint64().value_unsafe()));
      return true;
    case dom::element_type::STRING:
      out.kind = Value::Kind::string;
      out.text = text_of(element);
      return true;
    case dom::element_type::BOOL:
      out.kind = Value::Kind::boolean;
      out.number = element.get_bool().value_unsafe() ? 1 : 0;
      return true;
    case dom::element_type::NULL_VALUE:
      out.kind = Value::Kind::null;
      return true;
    default:
      return false;
  }
}

// Whether `element` is a time; then `out` is it.
bool read_time(dom::element element, Time& out) {
  std::int64_t number = 0;
  if (element.type() == dom::element_type::INT64) {
    number = element.get_int64().value_unsafe();
  } else if (element.type() == dom::element_type::DOUBLE) {
    const double whole = element.get_double().value_unsafe();
    // 2^63: at or above it the conversion would overflow.
    if (std::trunc(whole) != whole || std::fabs(whole) >= 9223372036854775808.0) return false;
    number = static_cast<std::int64_t>(whole);
  } else {
    return false;
  }
  const std::optional<Time> time = normalise_timestamp(number);
  if (time) out = *time;
  return time.has_value();
}

// Whether `element` is a whole number from 0 to `most`; then `out` is it.
bool read_whole(dom::element element, std::uint64_t most, std::uint64_t& out) {
  std::uint64_t number = 0;
  if (element.get(number)) {
    double real = 0;
    // 2^63: what is below it converts.
    if (element.get(real) || !(real >= 0 && real < 9223372036854775808.0)) return false;
    if (std::trunc(real) != real) return false;
    number = static_cast<std::uint64_t>(real);
  }
  if (number > most) return false;
  out = number;
  return true;
}

// Sorts what stands from `first` on by key; of equal keys only the last stays.
template <class T>
void sort_last_wins(std::vector<T>& entries, std::size_t first) {
  const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(first);
  if (entries.size() - first <= 16) {
    // Stable and, unlike std::stable_sort, without memory of its own: nearly all objects are this
    // small.
    for (auto at = begin; at != entries.end(); ++at) {
      for (auto to = at; to != begin && to->key < (to - 1)->key; --to) std::swap(*to, *(to - 1));
    }
  } else {
    std::stable_sort(begin, entries.end(), [](const T& a, const T& b) { return a.key < b.key; });
  }
  auto kept = begin;
  for (auto at = begin; at != entries.end(); ++at) {
    const auto following = at + 1;
    if (following != entries.end() && following->key == at->key) continue;
    *kept++ = *at;
  }
  entries.erase(kept, entries.end());
}

// Writes elements as msgpack of one form: keys sorted, whole numbers as integers. So JSON values
// that are equal, 5 and 5.0 too, are equal bytes.
class Packer {
 public:
  // False if arrays and objects nest too deep; `out` then holds half a value.
  bool pack(dom::element element, std::string& out, int depth = 0) {
    MsgpackWriter writer(out);
    switch (element.type()) {
      case dom::element_type::DOUBLE:
        pack_number(element.get_double().value_unsafe(), writer);
        return true;
      case dom::element_type::INT64:
        writer.integer(element.get_int64().value_unsafe());
        return true;
      case dom::element_type::UINT64:
        writer.unsigned_integer(element.get_uint64().value_unsafe());
        return true;
      case dom::element_type::STRING:
        writer.string(text_of(element));
        return true;
      case dom::element_type::BOOL:
        writer.boolean(element.get_bool().value_unsafe());
        return true;
      case dom::element_type::NULL_VALUE:
        writer.null();
        return true;
      case dom::element_type::ARRAY:
        return pack_array(element.get_array().value_unsafe(), out, depth + 1);
      case dom::element_type::OBJECT:
        return pack_object(element.get_object().value_unsafe(), out, depth + 1);
    }
    return false;
  }

 private:
  static void pack_number(double number, MsgpackWriter& writer) {
    const bool whole = std::trunc(number) == number && !(number == 0 && std::signbit(number));
    if (whole && number >= -9223372036854775808.0 && number < 9223372036854775808.0) {
      writer.integer(static_cast<std::int64_t>(number));
    } else if (whole && number > 0 && number < 18446744073709551616.0) {
      writer.unsigned_integer(static_cast<std::uint64_t>(number));
    } else {
      writer.number(number);
    }
  }

  bool pack_array(dom::array array, std::string& out, int depth) {
    if (depth > json_depth_max) return false;
    std::uint32_t size = 0;
    for ([[maybe_unused]] const dom::element element : array) ++size;
    MsgpackWriter(out).array(size);
    for (const dom::element element : array) {
      if (!pack(element, out, depth)) return false;
    }
    return true;
  }

  bool pack_object(dom::object object, std::string& out, int depth) {
    if (depth > json_depth_max) return false;
    // The entries of objects on the way down lie behind one another.
    const std::size_t first = entries_.size();
    for (const dom::key_value_pair pair : object) entries_.push_back({pair.key, pair.value});
    sort_last_wins(entries_, first);
    MsgpackWriter writer(out);
    writer.map(static_cast<std::uint32_t>(entries_.size() - first));
    bool fits = true;
    for (std::size_t i = first, end = entries_.size(); i < end && fits; ++i) {
      writer.string(entries_[i].key);
      fits = pack(entries_[i].value, out, depth);
    }
    entries_.resize(first);
    return fits;
  }

  std::vector<Entry> entries_;
};

// `text` with "e0" behind every whole number that may be too long for 64 bits: the parser takes
// those only as floating point. Other JSON readers, and append_number, do not tell the two apart.
std::string with_long_integers_as_floats(std::string_view text) {
  constexpr std::size_t digits_min = 19;
  std::string out;
  bool in_string = false;
  std::size_t digits = 0;
  bool whole = true;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    if (!in_string) {
      if (c >= '0' && c <= '9') {
        ++digits;
      } else if (c == '.' || c == 'e' || c == 'E' || c == '+' || (c == '-' && !whole)) {
        whole = false;
      } else {
        if (digits >= digits_min && whole) out += "e0";
        digits = 0;
        whole = true;
      }
    }
    if (c == '"') in_string = !in_string;
    if (i < text.size()) out += c;
    if (c == '\\' && in_string && i + 1 < text.size()) out += text[++i];
  }
  return out;
}

// Whether `key`, which is as long as `name`, is `name`. The constant length makes it one
// comparison.
template <std::size_t Size>
bool is(std::string_view key, const char (&name)[Size]) {
  return std::memcmp(key.data(), name, Size - 1) == 0;
}

std::string shown(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  return fmt::format("'{}'", text.substr(0, shown_max));
}

}  // namespace

std::string_view refusal_name(Refusal refusal) {
  switch (refusal) {
    case Refusal::not_json:
      return "not_json";
    case Refusal::not_an_object:
      return "not_an_object";
    case Refusal::unknown_type:
      return "unknown_type";
    case Refusal::missing_type:
      return "missing_type";
    case Refusal::bad_name:
      return "bad_name";
    case Refusal::bad_value:
      return "bad_value";
    case Refusal::bad_labels:
      return "bad_labels";
    case Refusal::bad_timestamp:
      return "bad_timestamp";
    case Refusal::bad_uuid:
      return "bad_uuid";
    case Refusal::bad_field:
      return "bad_field";
    case Refusal::too_large:
      return "too_large";
    case Refusal::bad_envelope:
      return "bad_envelope";
  }
  return "unknown";
}

static_assert(json_padding >= simdjson::SIMDJSON_PADDING);

struct JsonDecoder::Scratch {
  // The fields that have a place of their own, as the text last gave them.
  struct Own {
    std::optional<dom::element> type, name, value, timestamp, uuid, labels, received_at, hostname,
        origin;

    // Cheaper than a new one, which is all zeroes.
    void reset() {
      for (auto* field :
           {&type, &name, &value, &timestamp, &uuid, &labels, &received_at, &hostname, &origin})
        field->reset();
    }
  };

  // These return false after they have set `refused`.
  bool read(std::string_view text, const Defaults& defaults, MessageView& message);
  bool parse(std::string_view text, bool is_padded, dom::object& object);
  void read_sequence(dom::element element);
  void sort_out(dom::object object, const Defaults& defaults);
  bool read_type(const Defaults& defaults, MessageView& message);
  bool read_name(MessageView& message);
  bool read_value(MessageView& message);
  bool read_labels(MessageView& message);
  bool read_sender(const Defaults& defaults, MessageView& message);
  bool read_times(const Defaults& defaults, MessageView& message);
  void read_hostname(const Defaults& defaults, MessageView& message);
  bool read_origin(MessageView& message);
  bool check_other(MessageType type, const Entry& entry);
  bool pack_others(MessageView& message);
  bool pack_other(MessageType type, const Entry& entry);

  bool refuse(Refusal why, std::string text) {
    refused = {why, std::move(text)};
    return false;
  }

  dom::parser parser;
  Own own;
  std::optional<Sequence> recorded_sequence;
  std::vector<char> padded;
  std::vector<Entry> others;
  std::vector<Label> labels;
  std::array<char, 36> uuid{};
  std::string tree;
  std::string fields;
  Packer packer;
  Refused refused;
};

// Parses the text, copied to where the parser may read past its end if need be.
bool JsonDecoder::Scratch::parse(std::string_view text, bool is_padded, dom::object& object) {
  if (text.size() > message_bytes_max) {
    return refuse(Refusal::too_large, fmt::format("the text has {} bytes; a message has at most {}",
                                                  text.size(), message_bytes_max));
  }
  const auto parse_copy = [this](std::string_view copied) {
    if (padded.size() < copied.size() + simdjson::SIMDJSON_PADDING) {
      padded.resize(std::max<std::size_t>(copied.size(), 4096) + simdjson::SIMDJSON_PADDING);
    }
    if (!copied.empty()) std::memcpy(padded.data(), copied.data(), copied.size());
    return parser.parse(padded.data(), copied.size(), false);
  };
  auto parsed = is_padded ? parser.parse(text.data(), text.size(), false) : parse_copy(text);
  if (parsed.error() == simdjson::NUMBER_ERROR)
    parsed = parse_copy(with_long_integers_as_floats(text));
  if (parsed.error() == simdjson::DEPTH_ERROR) {
    return refuse(Refusal::bad_field,
                  fmt::format("a field nests deeper than {} levels", json_depth_max));
  }
  if (parsed.error()) {
    return refuse(Refusal::not_json,
                  fmt::format("the text is not JSON: {}", simdjson::error_message(parsed.error())));
  }
  if (parsed.value_unsafe().get(object)) {
    return refuse(Refusal::not_an_object, "the text is JSON but no object, and a message is one");
  }
  return true;
}

void JsonDecoder::Scratch::read_sequence(dom::element element) {
  std::uint64_t number = 0;
  if (read_whole(element, INT64_MAX, number) && number > 0) recorded_sequence = Sequence{number};
}

void JsonDecoder::Scratch::sort_out(dom::object object, const Defaults& defaults) {
  others.clear();
  own.reset();
  // Not by key_value_pair: it is put together on the stack and copied from there, which takes as
  // long as all the rest of this loop.
  for (auto at = object.begin(), end = object.end(); at != end; ++at) {
    const std::string_view key = at.key();
    std::optional<dom::element>* place = nullptr;
    switch (key.size()) {
      case 3:
        if (is(key, "seq")) {
          if (defaults.recorded) read_sequence(at.value());
          continue;
        }
        break;
      case 4:
        if (is(key, "type")) place = &own.type;
        if (is(key, "name")) place = &own.name;
        if (is(key, "uuid")) place = &own.uuid;
        break;
      case 5:
        if (is(key, "value")) place = &own.value;
        break;
      case 6:
        if (is(key, "labels")) place = &own.labels;
        if (is(key, "origin")) {
          if (!defaults.recorded || !defaults.with_origin) continue;
          place = &own.origin;
        }
        break;
      case 8:
        if (is(key, "hostname")) place = &own.hostname;
        break;
      case 9:
        if (is(key, "timestamp")) place = &own.timestamp;
        break;
      case 11:
        if (is(key, "received_at")) {
          if (!defaults.recorded) continue;
          place = &own.received_at;
        }
        break;
      default:
        break;
    }
    if (place != nullptr) {
      place->emplace(at.value());
    } else {
      others.push_back({key, at.value()});
    }
  }
}

bool JsonDecoder::Scratch::read_type(const Defaults& defaults, MessageView& message) {
  std::optional<MessageType> type = defaults.type;
  if (!type) {
    if (!own.type) return refuse(Refusal::missing_type, "\"type\" is missing");
    if (!is_string(*own.type)) return refuse(Refusal::unknown_type, "\"type\" must be a string");
    type = type_from_name(text_of(*own.type));
  }
  // Ticks are made by whoever numbers the stream; nobody sends one.
  if (!type || *type == MessageType::tick) {
    return refuse(Refusal::unknown_type,
                  fmt::format("\"type\" {} is none that a message can have",
                              type ? shown(type_name(*type)) : shown(text_of(*own.type))));
  }
  message.type = *type;
  return true;
}

bool JsonDecoder::Scratch::read_name(MessageView& message) {
  if (own.name && is_string(*own.name)) {
    message.name = text_of(*own.name);
  } else if (own.name || needs_name(message.type)) {
    return refuse(Refusal::bad_name, fmt::format("\"name\" of a {} {}", type_name(message.type),
                                                 own.name ? "must be a string" : "is missing"));
  }
  return true;
}

bool JsonDecoder::Scratch::read_value(MessageView& message) {
  const auto must_be = [&](std::string_view what) {
    return refuse(Refusal::bad_value,
                  fmt::format("\"value\" of a {} must be {}", type_name(message.type), what));
  };
  const auto read_tree = [&](dom::element element) {
    tree.clear();
    if (!packer.pack(element, tree))
      return must_be(fmt::format("nested at most {} levels deep", json_depth_max));
    message.value = Value::of_tree(tree);
    return true;
  };
  const auto& value = own.value;
  switch (value_rule(message.type)) {
    case ValueRule::anything:
      // Types without a value of their own: an unknown field, read and filtered like any value.
      if (!value || read_scalar(*value, message.value)) return true;
      return read_tree(*value);
    case ValueRule::number:
      if (!value || !is_number(*value)) return must_be("a number");
      break;
    case ValueRule::delta:
      if (value && !is_number(*value)) return must_be("a number, or absent for 1");
      break;
    case ValueRule::text_or_null:
      if (!value || !(is_string(*value) || is_null(*value))) return must_be("a string or null");
      break;
    case ValueRule::tree:
      if (!value || !(value->is_object() || value->is_array()))
        return must_be("an object or an array");
      return read_tree(*value);
    case ValueRule::any_scalar:
      break;
  }
  if (value) {
    if (!read_scalar(*value, message.value)) return must_be("a number, string, boolean or null");
  } else if (message.type == MessageType::counter) {
    message.value = Value::of(1.0);
  }
  return true;
}

bool JsonDecoder::Scratch::read_labels(MessageView& message) {
  if (!own.labels) return true;
  dom::object object;
  if (own.labels->get(object)) return refuse(Refusal::bad_labels, "\"labels\" must be an object");
  labels.clear();
  for (auto at = object.begin(), end = object.end(); at != end; ++at) {
    Label& label = labels.emplace_back();
    label.key = at.key();
    read_scalar(at.value(), label.value);
  }
  sort_last_wins(labels, 0);
  for (const Label& label : labels) {
    if (label.value.kind == Value::Kind::absent) {
      return refuse(
          Refusal::bad_labels,
          fmt::format("label {} must be a string, number, boolean or null", shown(label.key)));
    }
  }
  message.labels = labels;
  return true;
}

bool JsonDecoder::Scratch::read_sender(const Defaults& defaults, MessageView& message) {
  message.uuid = defaults.uuid;
  if (defaults.type || !own.uuid) return true;
  if (!is_string(*own.uuid) || !normalise_uuid(text_of(*own.uuid), uuid)) {
    return refuse(Refusal::bad_uuid,
                  "\"uuid\" must be a string of 36 characters, 8-4-4-4-12 hex digits");
  }
  message.uuid = {uuid.data(), uuid.size()};
  return true;
}

bool JsonDecoder::Scratch::read_times(const Defaults& defaults, MessageView& message) {
  const auto read = [this](std::string_view key, dom::element element, Time& out) {
    if (read_time(element, out)) return true;
    return refuse(
        Refusal::bad_timestamp,
        fmt::format("\"{}\" must be a whole number of s, ms, µs or ns between 1971 and 2100", key));
  };
  message.received_at = defaults.received_at;
  if (own.received_at) {
    if (!read("received_at", *own.received_at, message.received_at)) return false;
  }
  message.timestamp = defaults.timestamp.value_or(message.received_at);
  if (own.timestamp) {
    if (!read("timestamp", *own.timestamp, message.timestamp)) return false;
    if (defaults.recorded && !own.received_at) message.received_at = message.timestamp;
  }
  return true;
}

void JsonDecoder::Scratch::read_hostname(const Defaults& defaults, MessageView& message) {
  if (!own.hostname) return;
  if (is_registration(message.type)) {
    others.push_back({"hostname", *own.hostname});
  } else if (defaults.recorded && is_string(*own.hostname) && !text_of(*own.hostname).empty()) {
    message.hostname = text_of(*own.hostname);
  }
}

// Half an origin is none: a message that was derived must not come back as one that was sent.
bool JsonDecoder::Scratch::read_origin(MessageView& message) {
  if (!own.origin || is_null(*own.origin)) return true;
  const auto must_be = [this](std::string_view what) {
    return refuse(Refusal::bad_field, fmt::format("\"origin\" must be {}", what));
  };
  dom::object object;
  if (own.origin->get(object)) return must_be("an object");
  std::string_view trigger;
  if (object["trigger"].get(trigger) || trigger.empty())
    return must_be("an object with the name of a \"trigger\"");
  std::uint64_t run = 0, sequence = 0, ordinal = 0, depth = 0;
  struct Number {
    std::string_view key;
    std::uint64_t most;
    std::uint64_t* out;
  };
  const std::array<Number, 4> numbers = {{{"run", INT64_MAX, &run},
                                          {"sequence", INT64_MAX, &sequence},
                                          {"ordinal", UINT32_MAX, &ordinal},
                                          {"depth", 254, &depth}}};
  for (const Number& number : numbers) {
    dom::element element;
    if (object[number.key].get(element)) continue;
    if (!read_whole(element, number.most, *number.out)) {
      return must_be(fmt::format("an object whose \"{}\" is a whole number up to {}", number.key,
                                 number.most));
    }
  }
  if (depth == 0) return must_be("an object with a \"depth\" of at least 1");
  bool correction = false;
  if (dom::element element; !object["correction"].get(element) && element.get(correction))
    return must_be("an object whose \"correction\" is true or false");
  message.origin = Origin{trigger,
                          Run{run},
                          Sequence{sequence},
                          static_cast<std::uint32_t>(ordinal),
                          static_cast<std::uint8_t>(depth),
                          correction};
  message.hostname.reset();
  return true;
}

// The known fields that have a form.
bool JsonDecoder::Scratch::check_other(MessageType type, const Entry& entry) {
  const auto is = [&](MessageType wanted, std::string_view key) {
    return type == wanted && entry.key == key;
  };
  const auto must_be = [&](std::string_view what) {
    return refuse(Refusal::bad_field,
                  fmt::format("\"{}\" of a {} must be {}", entry.key, type_name(type), what));
  };
  if (is(MessageType::event, "attn") && !is_string(entry.value)) {
    dom::array array;
    if (entry.value.get(array)) return must_be("an array of strings");
    for (const dom::element element : array) {
      if (!is_string(element) && !is_null(element)) return must_be("an array of strings");
    }
  }
  const bool text = is(MessageType::event, "subject") || is(MessageType::event, "body") ||
                    (is_registration(type) && entry.key == "hostname");
  if (text && !is_string(entry.value)) return must_be("a string");
  const bool number =
      is(MessageType::hb_process, "timeout") || is(MessageType::hb_agent, "timeout");
  if (number && !is_number(entry.value)) return must_be("a number");
  return true;
}

bool JsonDecoder::Scratch::pack_other(MessageType type, const Entry& entry) {
  MsgpackWriter writer(fields);
  writer.string(entry.key);
  if (type != MessageType::event || entry.key != "attn") {
    return packer.pack(entry.value, fields);
  }
  if (is_string(entry.value)) {
    writer.array(1);
    return packer.pack(entry.value, fields);
  }
  const dom::array names = entry.value.get_array().value_unsafe();
  std::uint32_t size = 0;
  for (const dom::element name : names) size += is_string(name) ? 1 : 0;
  writer.array(size);
  for (const dom::element name : names) {
    if (is_string(name)) writer.string(text_of(name));
  }
  return true;
}

bool JsonDecoder::Scratch::pack_others(MessageView& message) {
  sort_last_wins(others, 0);
  // Hastur's clients send null for what they were not given.
  std::erase_if(others, [&message](const Entry& entry) {
    return is_null(entry.value) &&
           std::ranges::binary_search(optional_fields(message.type), entry.key);
  });
  if (others.empty()) return true;
  fields.clear();
  MsgpackWriter(fields).map(static_cast<std::uint32_t>(others.size()));
  for (const Entry& entry : others) {
    if (!check_other(message.type, entry)) return false;
    if (!pack_other(message.type, entry)) {
      return refuse(Refusal::bad_field, fmt::format("\"{}\" nests deeper than {} levels",
                                                    entry.key.substr(0, 60), json_depth_max));
    }
  }
  message.fields = fields;
  return true;
}

bool JsonDecoder::Scratch::read(std::string_view text, const Defaults& defaults,
                                MessageView& message) {
  dom::object object;
  recorded_sequence.reset();
  if (!parse(text, defaults.padded, object)) return false;
  sort_out(object, defaults);
  if (!read_type(defaults, message) || !read_name(message) || !read_value(message) ||
      !read_labels(message) || !read_sender(defaults, message) || !read_times(defaults, message)) {
    return false;
  }
  read_hostname(defaults, message);
  if (!read_origin(message) || !pack_others(message)) return false;
  // What a label takes in a batch besides its text, rounded up.
  constexpr std::size_t label_bytes = 32;
  const std::size_t weight = text.size() + message.value.text.size() + message.fields.size() +
                             label_bytes * message.labels.size();
  if (weight > message_bytes_max) {
    return refuse(Refusal::too_large, fmt::format("the message weighs {} bytes; the most is {}",
                                                  weight, message_bytes_max));
  }
  return true;
}

JsonDecoder::JsonDecoder() : scratch_(std::make_unique<Scratch>()) {}
JsonDecoder::~JsonDecoder() = default;

std::optional<Sequence> JsonDecoder::sequence() const { return scratch_->recorded_sequence; }

std::variant<MessageView, JsonDecoder::Refused> JsonDecoder::decode(std::string_view text,
                                                                    const Defaults& defaults) {
  MessageView message;
  if (!scratch_->read(text, defaults, message)) return std::move(scratch_->refused);
  return message;
}

}  // namespace hastur
