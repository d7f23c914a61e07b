#include "message/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "message/json_codec.h"
#include "message/recording_items.h"
#include "message/stream_time.h"

namespace hastur {
namespace {

using Defaults = JsonDecoder::Defaults;
using Refused = JsonDecoder::Refused;

// 2024-01-01T00:00:00Z, when tests begin too (DESIGN §11).
constexpr std::int64_t start_us = 1'704'067'200'000'000;
// Longer deafness than anybody records; keeps sums of it far from overflow.
constexpr std::int64_t deaf_us_max = 100ll * 365 * 86'400 * us_per_second;
// Senders whose host name is remembered; those beyond have none.
constexpr std::size_t hosts_max = 1'000'000;

// The integer under `key`, or nothing.
std::optional<std::int64_t> integer_of(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > std::uint64_t{INT64_MAX})
    return std::nullopt;
  return found->get<std::int64_t>();
}

const std::string* string_of(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const Json::string_t*>();
}

}  // namespace

struct RecordingReader::Source {
  Source(std::istream& input, std::string source, Options given)
      : items(input, source), name(std::move(source)), options(given) {
    options.rows_max = std::clamp<std::uint32_t>(options.rows_max, 1, batch_rows_max);
  }

  Result<std::optional<Batch>> next();
  // Sets what is pending from an item.
  void take(const RecordingItems::Item& item);
  // True if the line was one of ours that is no message.
  bool take_special_line(std::string_view line);
  void take_tick_line(const Json& line, std::string_view text);
  void take_line(std::string_view line);
  void take_element(std::string_view element);
  void take_decoded(std::variant<MessageView, Refused> decoded, std::string_view original,
                    bool received_at_known);
  void take_refused(const Refused& refused, std::string_view original);
  Time raise_received_at(Time time);
  void pend(MessageView message);
  void learn_hostname(const MessageView& registration);

  bool is_full() const { return builder.count() >= options.rows_max || !builder.has_room(); }
  void begin_row(Time time);
  void add_tick(const Tick& tick);
  void add_message();
  Batch finish();

  RecordingItems items;
  std::string name;
  Options options;
  JsonDecoder decoder;
  BatchBuilder builder;

  // What stands before the first row of the batch under way, and after the last.
  Time stream_time_before{};
  Time stream_time{};
  Sequence first{1};
  StreamTime ticker;
  // Of the last item that had one, and whether there was any.
  Time received_at = time_from_us(start_us);
  bool any_received = false;
  // Of the last row.
  Time row_received_at{};

  // Rows that one item brought and that are not in a batch yet: ticks, then the message. It borrows
  // from the decoder, `sender` or `error_line`; no item is read before it is in.
  std::vector<Tick> ticks;
  std::size_t ticks_added = 0;
  std::optional<MessageView> message;
  std::optional<Message> error_line;
  std::array<char, 36> sender{};

  // By uuid, as last registered.
  std::map<std::string, std::string, std::less<>> hostnames;
  std::uint64_t messages = 0;
  // Of the rows in the builder, and of those in the batch before.
  std::vector<std::uint64_t> row_messages;
  std::vector<std::uint64_t> finished_row_messages;
  std::uint64_t refused = 0;
  std::uint64_t journal_lines = 0;
};

Result<std::optional<Batch>> RecordingReader::Source::next() {
  while (true) {
    while (ticks_added < ticks.size() && !is_full()) add_tick(ticks[ticks_added++]);
    if (message && !is_full()) add_message();
    if (ticks_added < ticks.size() || message) return std::optional<Batch>(finish());
    auto item = items.next();
    if (!item) return fail(item.error());
    if (!*item) return builder.count() > 0 ? std::optional<Batch>(finish()) : std::nullopt;
    ticks.clear();
    ticks_added = 0;
    take(**item);
  }
}

void RecordingReader::Source::take(const RecordingItems::Item& item) {
  if (items.form() == RecordingItems::Form::json_lines && !item.cut && take_special_line(item.text))
    return;
  ++messages;
  if (item.cut) {
    take_refused({Refusal::too_large,
                  fmt::format("it has more than {} bytes", RecordingItems::item_bytes_max)},
                 item.text);
  } else if (items.form() == RecordingItems::Form::json_lines) {
    take_line(item.text);
  } else {
    take_element(item.text);
  }
}

bool RecordingReader::Source::take_special_line(std::string_view line) {
  // Looks before it parses: nearly all lines are messages.
  const bool tick = line.find("\"tick\"") != std::string_view::npos;
  const bool journal = line.find("\"journal\"") != std::string_view::npos;
  if (!tick && !journal) return false;
  const Result<Json> parsed = parse_json(line);
  if (!parsed || !parsed->is_object()) return false;
  const std::string* type = string_of(*parsed, "type");
  if (type != nullptr && *type == "tick") {
    take_tick_line(*parsed, line);
    return true;
  }
  if (!parsed->contains("journal") || parsed->contains("type")) return false;
  ++journal_lines;
  return true;
}

void RecordingReader::Source::take_tick_line(const Json& line, std::string_view text) {
  const auto number = integer_of(line, "time");
  const auto time = number ? normalise_timestamp(*number) : std::nullopt;
  const std::int64_t deaf = line.contains("deaf") ? integer_of(line, "deaf").value_or(-1) : 0;
  if (!time || deaf < 0 || deaf > deaf_us_max) {
    ++messages;
    take_refused({time ? Refusal::bad_field : Refusal::bad_timestamp,
                  time ? "\"deaf\" of a tick must be a whole number of µs, not negative"
                       : "\"time\" of a tick must be a whole number of µs"},
                 text);
    return;
  }
  const Tick tick{whole_second(*time), Micros{deaf}};
  const bool fresh =
      ticker.take_tick(tick, [this](const Tick& missing) { ticks.push_back(missing); });
  if (!fresh) return;
  ticks.push_back(tick);
  raise_received_at(tick.time);
}

void RecordingReader::Source::take_line(std::string_view line) {
  Defaults defaults;
  defaults.received_at = received_at;
  defaults.uuid = recording_uuid;
  defaults.recorded = true;
  take_decoded(decoder.decode(line, defaults), line, true);
}

void RecordingReader::Source::take_element(std::string_view element) {
  const Result<Json> parsed = parse_json(element);
  if (!parsed) return take_refused({Refusal::not_json, parsed.error().message}, element);
  if (!parsed->is_object())
    return take_refused({Refusal::not_an_object, "an element must be an object"}, element);
  const std::string* payload = string_of(*parsed, "payload");
  if (payload == nullptr) {
    return take_refused(
        {Refusal::bad_envelope, "\"payload\" of an element must be a string of JSON"}, element);
  }
  Defaults defaults;
  defaults.received_at = received_at;
  defaults.uuid = recording_uuid;
  if (const auto time = integer_of(*parsed, "timestamp"))
    defaults.timestamp = normalise_timestamp(*time);
  const std::string* type = string_of(*parsed, "type");
  const std::string* from = string_of(*parsed, "from");
  if (type != nullptr || from != nullptr) {
    if (type == nullptr || from == nullptr || !normalise_uuid(*from, sender)) {
      return take_refused(
          {Refusal::bad_envelope, "an element needs a \"type\" and a uuid as \"from\""}, element);
    }
    defaults.type = type_from_name(*type);
    defaults.uuid = {sender.data(), sender.size()};
    if (!defaults.type) {
      return take_refused(
          {Refusal::unknown_type, fmt::format("\"type\" '{}' is none that is known", *type)},
          element);
    }
  }
  take_decoded(decoder.decode(*payload, defaults), element, false);
}

void RecordingReader::Source::take_decoded(std::variant<MessageView, Refused> decoded,
                                           std::string_view original, bool received_at_known) {
  if (const auto* why = std::get_if<Refused>(&decoded)) return take_refused(*why, original);
  MessageView& view = std::get<MessageView>(decoded);
  if (view.type == MessageType::ack || view.type == MessageType::noop) return;
  if (!received_at_known) view.received_at = view.timestamp;
  pend(view);
}

void RecordingReader::Source::take_refused(const Refused& why, std::string_view original) {
  ++refused;
  error_line.emplace(
      refused_message({why.why, fmt::format("{}:{}: {}", name, items.number(), why.text)}, original,
                      recording_uuid, received_at));
  pend(error_line->view());
}

// Returns `time` or the receive time before it, whichever is later.
Time RecordingReader::Source::raise_received_at(Time time) {
  // The first may be older than what stands for an absent one.
  received_at = any_received ? std::max(received_at, time) : time;
  any_received = true;
  return received_at;
}

void RecordingReader::Source::pend(MessageView view) {
  view.received_at = raise_received_at(view.received_at);
  ticker.advance(std::min(view.timestamp, view.received_at), Micros{0},
                 [this](const Tick& tick) { ticks.push_back(tick); });
  const bool registration =
      view.type == MessageType::reg_agent || view.type == MessageType::reg_process;
  if (registration) learn_hostname(view);
  if (!view.hostname) {
    if (const auto found = hostnames.find(view.uuid); found != hostnames.end())
      view.hostname = found->second;
  }
  message = view;
}

void RecordingReader::Source::learn_hostname(const MessageView& registration) {
  const auto hostname = field_of(registration, "hostname");
  if (!hostname || !hostname->is_string()) return;
  const auto known = hostnames.find(registration.uuid);
  if (known != hostnames.end()) {
    known->second = hostname->get<std::string>();
  } else if (hostnames.size() < hosts_max) {
    hostnames.emplace(registration.uuid, hostname->get<std::string>());
  }
}

void RecordingReader::Source::begin_row(Time time) {
  if (builder.count() == 0) stream_time_before = stream_time;
  stream_time = std::max(stream_time, time);
}

void RecordingReader::Source::add_tick(const Tick& tick) {
  begin_row(tick.time);
  row_received_at = std::max(row_received_at, tick.time);
  builder.add_tick(tick.time, row_received_at, tick.deaf);
  row_messages.push_back(message ? messages - 1 : messages);
}

void RecordingReader::Source::add_message() {
  begin_row(std::min(message->timestamp, message->received_at));
  row_received_at = message->received_at;
  builder.add(*message);
  row_messages.push_back(messages);
  message.reset();
}

Batch RecordingReader::Source::finish() {
  Batch batch = builder.finish(options.stream, first, stream_time_before);
  first = first.plus(batch.header.count);
  finished_row_messages = std::exchange(row_messages, {});
  return batch;
}

RecordingReader::RecordingReader(std::istream& input, std::string source, Options options)
    : source_(std::make_unique<Source>(input, std::move(source), options)) {}
RecordingReader::~RecordingReader() = default;

Result<std::optional<Batch>> RecordingReader::next() { return source_->next(); }
const std::vector<std::uint64_t>& RecordingReader::row_messages() const {
  return source_->finished_row_messages;
}
std::uint64_t RecordingReader::messages() const { return source_->messages; }
std::uint64_t RecordingReader::refused() const { return source_->refused; }
std::uint64_t RecordingReader::journal_lines() const { return source_->journal_lines; }
std::uint64_t RecordingReader::line() const { return source_->items.number(); }

}  // namespace hastur
