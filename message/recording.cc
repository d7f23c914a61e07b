#include "message/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "core/json.h"
#include "message/json_codec.h"
#include "message/recording_items.h"
#include "message/recording_lines.h"
#include "message/stream_time.h"

namespace hastur {
namespace {

using Defaults = JsonDecoder::Defaults;
using Refused = JsonDecoder::Refused;

// 2024-01-01T00:00:00Z, when tests begin too (DESIGN §11).
constexpr std::int64_t start_us = 1'704'067'200'000'000;
// How much is read ahead to find the first time.
constexpr std::size_t held_max = 1'000;
constexpr std::size_t held_bytes_max = 4u << 20;
// Senders whose host name is remembered; those beyond have none.
constexpr std::size_t hosts_max = 1'000'000;

}  // namespace

struct RecordingReader::Source {
  Source(std::istream& input, std::string source, Options given)
      : items(input, source), name(std::move(source)), options(given) {
    options.rows_max = std::clamp<std::uint32_t>(options.rows_max, 1, batch_rows_max);
  }

  // An item read ahead of its turn.
  struct Held {
    std::string text;
    bool cut = false;
    std::uint64_t number = 0;
  };

  Result<std::optional<Batch>> next();
  Result<std::optional<RecordingItems::Item>> next_item();
  Result<void> read_up_to_first_time();
  std::optional<Time> time_of(const RecordingItems::Item& item);
  // Sets what is pending from an item.
  void take(const RecordingItems::Item& item);
  // True if the line was one of ours that is no message.
  bool take_special_line(std::string_view line);
  void take_tick_line(const Json& line, std::string_view text);
  void take_lost_line(const Json& line, std::string_view text);
  std::variant<MessageView, Refused> decode(std::string_view item, Time received_before);
  std::variant<MessageView, Refused> decode_element(std::string_view text, Defaults defaults);
  void take_decoded(std::variant<MessageView, Refused> decoded, std::string_view original);
  void take_refused(const Refused& refused, std::string_view original);
  Time raise_received_at(Time time);
  void pend(MessageView message);
  EmitTick missing_ticks();
  void learn_hostname(std::string_view uuid, std::string_view hostname);

  bool is_full() const { return builder.count() >= options.rows_max || !builder.has_room(); }
  void begin_row(Time time);
  void add_tick(const Tick& tick);
  void add_message();
  Batch finish();

  RecordingItems items;
  std::deque<Held> held;
  // The one that is being taken, if it was held.
  Held taken;
  std::uint64_t item_number = 0;
  std::string name;
  Options options;
  JsonDecoder decoder;
  BatchBuilder builder;

  // What stands before the first row of the batch under way, and after the last.
  Time stream_time_before{};
  Time stream_time{};
  Sequence first{1};
  StreamTime ticker;
  // Of the last item that had one; before it, of the first that will.
  Time received_at{};
  bool begun = false;
  bool any_received = false;
  // Of the last row.
  Time row_received_at{};

  // Rows that one item brought and that are not in a batch yet: ticks, then the message. It borrows
  // from the decoder, `sender` or `error_line`; no item is read before it is in.
  std::vector<Tick> ticks;
  std::size_t ticks_added = 0;
  std::optional<MessageView> message;
  // Its line's, or that of the tick that stands last in `ticks`.
  Sequence line_sequence;
  std::optional<Message> error_line;
  std::array<char, 36> sender{};

  // By uuid, as last registered.
  std::map<std::string, std::string, std::less<>> hostnames;
  std::uint64_t messages = 0;
  // Of the rows in the builder, and of those in the batch before.
  std::vector<std::uint64_t> row_messages;
  std::vector<std::uint64_t> finished_row_messages;
  std::vector<Sequence> row_sequences;
  std::vector<Sequence> finished_row_sequences;
  std::uint64_t refused = 0;
  std::string first_refused;
  // Of the element that was decoded last: how many lines below its first one the fault is.
  std::size_t fault_below = 0;
  std::uint64_t journal_lines = 0;
  bool any_input = false;
  std::uint64_t lost_lines = 0;
  // Nothing stands yet behind the last of them.
  bool after_loss = false;
  // What stands before the batch under way, and before the one that was returned last.
  std::vector<Lost> lost;
  std::vector<Lost> finished_lost;
};

Result<std::optional<Batch>> RecordingReader::Source::next() {
  while (true) {
    while (ticks_added < ticks.size() && !is_full()) add_tick(ticks[ticks_added++]);
    if (message && !is_full()) add_message();
    if (ticks_added < ticks.size() || message) return std::optional<Batch>(finish());
    auto item = next_item();
    if (!item && builder.count() == 0) return fail(item.error());
    // What was read before an error still counts; the error comes again.
    if (!item || !*item) {
      if (builder.count() > 0) return std::optional<Batch>(finish());
      finished_lost = std::exchange(lost, {});
      return std::optional<Batch>();
    }
    ticks.clear();
    ticks_added = 0;
    const std::size_t lost_so_far = lost.size();
    take(**item);
    if (lost.size() == lost_so_far || builder.count() == 0) continue;
    Lost next_lost = std::move(lost.back());
    lost.pop_back();
    Batch batch = finish();
    lost.push_back(std::move(next_lost));
    return std::optional<Batch>(std::move(batch));
  }
}

Result<std::optional<RecordingItems::Item>> RecordingReader::Source::next_item() {
  if (!begun) {
    begun = true;
    if (const auto read = read_up_to_first_time(); !read) return fail(read.error());
  }
  if (held.empty()) {
    auto item = items.next();
    item_number = items.number();
    return item;
  }
  taken = std::move(held.front());
  held.pop_front();
  item_number = taken.number;
  return std::optional(RecordingItems::Item{taken.text, taken.cut});
}

// What stands before the first item with a time takes that one's.
Result<void> RecordingReader::Source::read_up_to_first_time() {
  received_at = time_from_us(start_us);
  for (std::size_t bytes = 0; held.size() < held_max && bytes < held_bytes_max;) {
    const auto item = items.next();
    if (!item) {
      // What was read still counts; the error comes again when its turn is there.
      if (held.empty()) return fail(item.error());
      return {};
    }
    if (!*item) return {};
    bytes += (*item)->text.size();
    held.push_back({std::string((*item)->text), (*item)->cut, items.number()});
    if (const auto time = time_of(**item)) {
      received_at = *time;
      return {};
    }
  }
  return {};
}

std::optional<Time> RecordingReader::Source::time_of(const RecordingItems::Item& item) {
  if (item.cut) return std::nullopt;
  const bool lines = items.form() == RecordingItems::Form::json_lines;
  if (lines && item.text.find("\"tick\"") != std::string_view::npos) {
    const Result<Json> parsed = parse_json(item.text);
    const std::string* type = parsed && parsed->is_object() ? string_of(*parsed, "type") : nullptr;
    if (type != nullptr && *type == "tick") {
      const auto tick = tick_of_line(*parsed);
      const auto* taken_tick = std::get_if<Tick>(&tick);
      return taken_tick != nullptr ? std::optional(taken_tick->time) : std::nullopt;
    }
  }
  const auto decoded = decode(item.text, Time{});
  const auto* view = std::get_if<MessageView>(&decoded);
  if (view == nullptr || view->received_at == Time{}) return std::nullopt;
  return view->received_at;
}

void RecordingReader::Source::take(const RecordingItems::Item& item) {
  line_sequence = {};
  if (items.form() == RecordingItems::Form::json_lines && !item.cut && take_special_line(item.text))
    return;
  ++messages;
  any_input = true;
  fault_below = 0;
  if (item.cut) {
    take_refused({Refusal::too_large,
                  fmt::format("it has more than {} bytes", RecordingItems::item_bytes_max)},
                 item.text);
  } else {
    take_decoded(decode(item.text, received_at), item.text);
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
  // A trigger's own "lost" is a decision: that it went on after it.
  const std::string* decision = string_of(*parsed, "journal");
  if (decision != nullptr && *decision == "lost" && !parsed->contains("trigger")) {
    take_lost_line(*parsed, line);
    return true;
  }
  if (decision == nullptr || *decision != "stretch") ++journal_lines;
  if (options.journal) options.journal({line, item_number, !any_input});
  return true;
}

void RecordingReader::Source::take_tick_line(const Json& line, std::string_view text) {
  any_input = true;
  const auto judged = tick_of_line(line);
  if (const auto* why = std::get_if<Refused>(&judged)) {
    ++messages;
    return take_refused(*why, text);
  }
  const Tick& tick = std::get<Tick>(judged);
  const bool fresh = ticker.take_tick(tick, missing_ticks());
  if (!fresh) return;
  ticks.push_back(tick);
  line_sequence = sequence_of_line(line);
  raise_received_at(tick.time);
}

void RecordingReader::Source::take_lost_line(const Json& line, std::string_view text) {
  auto judged = lost_of_line(line);
  if (const auto* why = std::get_if<Refused>(&judged)) {
    ++messages;
    any_input = true;
    return take_refused(*why, text);
  }
  ++lost_lines;
  after_loss = true;
  lost.push_back(std::get<Lost>(std::move(judged)));
}

// A line or an element, by the form of the file.
std::variant<MessageView, Refused> RecordingReader::Source::decode(std::string_view item,
                                                                   Time received_before) {
  Defaults defaults;
  defaults.received_at = received_before;
  defaults.uuid = recording_uuid;
  if (items.form() == RecordingItems::Form::json_array) {
    auto decoded = decode_element(item, defaults);
    if (auto* view = std::get_if<MessageView>(&decoded)) view->received_at = view->timestamp;
    return decoded;
  }
  defaults.recorded = true;
  defaults.with_origin = true;
  return decoder.decode(item, defaults);
}

std::variant<MessageView, Refused> RecordingReader::Source::decode_element(std::string_view text,
                                                                           Defaults defaults) {
  auto element = element_of(text);
  if (auto* refused_element = std::get_if<RefusedElement>(&element)) {
    fault_below = refused_element->below;
    return std::move(refused_element->why);
  }
  const auto& said = std::get<ReplayElement>(element);
  defaults.timestamp = said.timestamp;
  defaults.type = said.type;
  if (said.from) {
    sender = *said.from;
    defaults.uuid = {sender.data(), sender.size()};
  }
  return decoder.decode(said.payload, defaults);
}

void RecordingReader::Source::take_decoded(std::variant<MessageView, Refused> decoded,
                                           std::string_view original) {
  if (const auto* why = std::get_if<Refused>(&decoded)) return take_refused(*why, original);
  const MessageView& view = std::get<MessageView>(decoded);
  if (view.type == MessageType::ack || view.type == MessageType::noop) return;
  if (items.form() == RecordingItems::Form::json_lines)
    line_sequence = decoder.sequence().value_or(Sequence{});
  pend(view);
}

void RecordingReader::Source::take_refused(const Refused& why, std::string_view original) {
  std::string placed = fmt::format("{}:{}: {}", name, item_number + fault_below, why.text);
  if (refused++ == 0) first_refused = placed;
  error_line.emplace(
      refused_message({why.why, std::move(placed)}, original, recording_uuid, received_at));
  pend(error_line->view());
}

// Those that are missing are put in; but for those of what was lost, as History has none there
// either.
EmitTick RecordingReader::Source::missing_ticks() {
  if (std::exchange(after_loss, false)) return [](const Tick&) {};
  return [this](const Tick& tick) { ticks.push_back(tick); };
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
  ticker.advance(std::min(view.timestamp, view.received_at), Micros{0}, missing_ticks());
  if (const auto hostname = registered_hostname(view)) learn_hostname(view.uuid, *hostname);
  if (!view.hostname && !view.origin) {
    if (const auto found = hostnames.find(view.uuid); found != hostnames.end())
      view.hostname = found->second;
  }
  message = view;
}

void RecordingReader::Source::learn_hostname(std::string_view uuid, std::string_view hostname) {
  const auto known = hostnames.find(uuid);
  if (known != hostnames.end()) {
    known->second = hostname;
  } else if (hostnames.size() < hosts_max) {
    hostnames.emplace(uuid, hostname);
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
  row_sequences.push_back(!message && ticks_added == ticks.size() ? line_sequence : Sequence{});
}

void RecordingReader::Source::add_message() {
  begin_row(std::min(message->timestamp, message->received_at));
  row_received_at = message->received_at;
  builder.add(*message);
  row_messages.push_back(messages);
  row_sequences.push_back(line_sequence);
  message.reset();
}

Batch RecordingReader::Source::finish() {
  Batch batch = builder.finish(options.stream, first, stream_time_before);
  first = first.plus(batch.header.count);
  finished_row_messages = std::exchange(row_messages, {});
  finished_row_sequences = std::exchange(row_sequences, {});
  finished_lost = std::exchange(lost, {});
  return batch;
}

RecordingReader::RecordingReader(std::istream& input, std::string source, Options options)
    : source_(std::make_unique<Source>(input, std::move(source), options)) {}
RecordingReader::~RecordingReader() = default;

Result<std::optional<Batch>> RecordingReader::next() { return source_->next(); }
const std::vector<std::uint64_t>& RecordingReader::row_messages() const {
  return source_->finished_row_messages;
}
const std::vector<Sequence>& RecordingReader::row_sequences() const {
  return source_->finished_row_sequences;
}
std::uint64_t RecordingReader::messages() const { return source_->messages; }
std::uint64_t RecordingReader::refused() const { return source_->refused; }
const std::string& RecordingReader::first_refused() const { return source_->first_refused; }
std::uint64_t RecordingReader::journal_lines() const { return source_->journal_lines; }
std::uint64_t RecordingReader::lost_lines() const { return source_->lost_lines; }
const std::vector<RecordingReader::Lost>& RecordingReader::lost_before() const {
  return source_->finished_lost;
}
std::uint64_t RecordingReader::line() const { return source_->item_number; }

}  // namespace hastur
