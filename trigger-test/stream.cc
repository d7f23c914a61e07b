#include "trigger-test/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/json.h"
#include "message/json_codec.h"
#include "message/recording.h"
#include "message/recording_file.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-test/passed_over.h"

namespace hastur {
namespace {

// Of recordings and of what tests make.
constexpr std::size_t messages_max = 5'000'000;

struct Line {
  Micros at;
  std::string json;
  std::uint32_t line = 0;
  // It is one of these and no message.
  bool is_tick = false;
};

std::string tick_line(Time time, Micros deaf = Micros{0}) {
  return fmt::format("{{\"deaf\":{},\"time\":{},\"type\":\"tick\"}}\n", deaf.count(),
                     to_us(whole_second(time)));
}

// Before a tick line: those that are missing there are not put in.
constexpr std::string_view lost_line = R"({"first":1,"journal":"lost","last":1})"
                                       "\n";

class Maker {
 public:
  Maker(const TestCase& test, const std::string& folder, std::uint32_t rows_max, TestStream& out)
      : test_(test), folder_(folder), rows_max_(rows_max), out_(out) {}

  std::optional<TestFileError> make() {
    for (const MessageSpec& spec : test_.messages) {
      std::optional<TestFileError> error;
      if (spec.is_tick()) {
        add_tick(spec);
      } else {
        error = spec.recording.empty() ? add(spec) : add_recording(spec);
      }
      if (error) return error;
    }
    std::ranges::stable_sort(lines_, {}, &Line::at);
    out_.end = test_.ends;
    if (!lines_.empty()) out_.end = std::max(out_.end, lines_.back().at);
    for (const Expectation& expectation : test_.expect) {
      if (expectation.to) out_.end = std::max(out_.end, *expectation.to);
    }

    std::string text = tick_line(test_.start);
    for (Line& line : lines_) {
      text += line.json + '\n';
      if (line.is_tick) continue;
      out_.messages.push_back(std::move(line.json));
      out_.lines.push_back(line.line);
    }
    text += tick_line(test_.start + out_.end);
    std::istringstream in(std::move(text));
    Result<Stream> stream = read_stream(in, "messages", rows_max_);
    if (!stream && stream.error().code == ErrorCode::full) {
      return TestFileError{
          fmt::format(
              "the test is too long: it may have {} messages and ticks, and there is a tick "
              "for each of its {} seconds; leave out spans in which nothing happens, {{ "
              "type = \"tick\", at = \"30d\", lost = \"29d\" }}, or make more tests of it",
              messages_max, out_.end / std::chrono::seconds{1}),
          test_.line};
    }
    if (!stream) return TestFileError{stream.error().message, test_.line};
    out_.stream = std::move(*stream);
    return std::nullopt;
  }

 private:
  void add_tick(const MessageSpec& spec) {
    std::string text = tick_line(test_.start + spec.at, spec.deaf);
    if (spec.lost > Micros{0})
      text = tick_line(test_.start + spec.at - spec.lost) + std::string(lost_line) + text;
    text.pop_back();
    lines_.push_back({spec.at, std::move(text), spec.line, true});
  }

  std::optional<TestFileError> add(const MessageSpec& spec) {
    Json message = spec.fields;
    if (const auto uuid = message.find("uuid"); uuid != message.end() && uuid->is_string()) {
      Result<std::string> meant = out_.names.uuid_of(uuid->get<std::string>());
      if (!meant) return TestFileError{meant.error().message, spec.line};
      *uuid = std::move(*meant);
    }
    for (std::uint64_t i = 0; i < spec.times; ++i) {
      const Micros at = spec.at + spec.every * static_cast<std::int64_t>(i);
      const Micros sent =
          spec.timestamp ? *spec.timestamp + spec.every * static_cast<std::int64_t>(i) : at;
      if (!spec.values.empty()) message["value"] = spec.values[i % spec.values.size()];
      message["received_at"] = to_us(test_.start + at);
      message["timestamp"] = to_us(test_.start + sent);
      Line line{at, canonical_json(message), spec.line, false};
      JsonDecoder::Defaults defaults;
      defaults.uuid = recording_uuid;
      defaults.recorded = true;
      const auto decoded = decoder_.decode(line.json, defaults);
      if (const auto* refused = std::get_if<JsonDecoder::Refused>(&decoded))
        return TestFileError{fmt::format("no such message can come: {}", refused->text), spec.line};
      lines_.push_back(std::move(line));
    }
    return std::nullopt;
  }

  std::optional<TestFileError> add_recording(const MessageSpec& spec) {
    const std::string path = std::filesystem::path(folder_) / spec.recording;
    const auto file = RecordingFile::open(path);
    if (!file) return TestFileError{"the recording: " + file.error().message, spec.line};
    const Result<Stream> recorded = read_stream((*file)->stream(), path);
    if (!recorded) return TestFileError{recorded.error().message, spec.line};
    std::optional<Micros> shift;
    std::vector<Label> scratch;
    for (const auto& batch : recorded->batches) {
      const BatchView view = BatchView::trusted(batch->batch.header, batch->batch.body);
      for (std::uint32_t row = 0; row < view.count(); ++row) {
        MessageView message = view.message(row, scratch);
        if (message.type == MessageType::tick && message.deaf == Micros{0}) continue;
        const bool is_tick = message.type == MessageType::tick;
        if (is_tick) message.received_at = message.timestamp;
        if (!shift) shift = test_.start + spec.at - message.received_at;
        message.timestamp += *shift;
        if (is_tick) message.timestamp = whole_second(message.timestamp);
        message.received_at += *shift;
        std::string json;
        append_message_json(json, message);
        lines_.push_back({message.received_at - test_.start, std::move(json), spec.line, is_tick});
        if (lines_.size() > messages_max)
          return TestFileError{fmt::format("{} has too many messages", path), spec.line};
      }
    }
    return std::nullopt;
  }

  const TestCase& test_;
  const std::string& folder_;
  const std::uint32_t rows_max_;
  TestStream& out_;
  JsonDecoder decoder_;
  std::vector<Line> lines_;
};

}  // namespace

Time Stream::time_at(Sequence input) const {
  for (const auto& batch : batches) {
    const BatchHeader& header = batch->batch.header;
    if (input >= header.first && input <= header.last())
      return time_from_us(batch->stream_times[input.value - header.first.value]);
  }
  return {};
}

std::optional<Stream::Input> Stream::input(Sequence sequence, std::vector<Label>& scratch) const {
  for (const auto& batch : batches) {
    const BatchHeader& header = batch->batch.header;
    if (sequence < header.first || sequence > header.last()) continue;
    const BatchView view = BatchView::trusted(header, batch->batch.body);
    return Input{
        view.message(static_cast<std::uint32_t>(sequence.value - header.first.value), scratch),
        row_messages[sequence.value - 1]};
  }
  return std::nullopt;
}

Result<Stream> read_stream(std::istream& in, const std::string& source, std::uint32_t rows_max) {
  RecordingReader::Options options;
  options.rows_max = rows_max;
  RecordingReader reader(in, source, options);
  Stream stream;
  while (true) {
    Result<std::optional<Batch>> batch = reader.next();
    if (!batch) return fail(batch.error());
    if (!*batch) {
      stream.refused = refused_text(reader);
      stream.passed_over = journal_text(reader);
      return stream;
    }
    const auto& rows = reader.row_messages();
    stream.row_messages.insert(stream.row_messages.end(), rows.begin(), rows.end());
    stream.batches.push_back(input_of(std::move(**batch)));
    if (stream.row_messages.size() > messages_max)
      return fail(ErrorCode::full,
                  fmt::format("{} has more than {} messages and ticks", source, messages_max));
  }
}

Stream cut_after(const Stream& stream, Time last) {
  Stream part;
  for (const auto& batch : stream.batches) {
    const auto end = std::ranges::upper_bound(batch->stream_times, to_us(last));
    const auto rows = static_cast<std::uint32_t>(end - batch->stream_times.begin());
    if (rows == batch->batch.header.count) {
      part.batches.push_back(batch);
    } else if (rows > 0) {
      part.batches.push_back(
          input_of(slice(BatchView::trusted(batch->batch.header, batch->batch.body), 0, rows)));
    }
    if (rows < batch->batch.header.count) break;
  }
  std::size_t rows = 0;
  for (const auto& batch : part.batches) rows += batch->batch.header.count;
  part.row_messages.assign(stream.row_messages.begin(),
                           stream.row_messages.begin() + static_cast<std::ptrdiff_t>(rows));
  return part;
}

Stream cut_at(const Stream& stream, const std::vector<Time>& times) {
  Stream parts;
  parts.row_messages = stream.row_messages;
  auto next = times.begin();
  for (const auto& batch : stream.batches) {
    const BatchView view = BatchView::trusted(batch->batch.header, batch->batch.body);
    const auto& rows = batch->stream_times;
    std::uint32_t begin = 0;
    const auto add_up_to = [&](std::uint32_t end) {
      if (end > begin) parts.batches.push_back(input_of(slice(view, begin, end - begin)));
      begin = end;
    };
    for (; next != times.end() && to_us(*next) < rows.back(); ++next)
      add_up_to(
          static_cast<std::uint32_t>(std::ranges::upper_bound(rows, to_us(*next)) - rows.begin()));
    add_up_to(batch->batch.header.count);
  }
  return parts;
}

double own_value(double given, std::size_t place) {
  constexpr std::size_t places = 1 << 20;
  return given + static_cast<double>(place % places + 1) / (2.0 * places);
}

bool may_have_own_value(const Json& fields) {
  const std::string type = fields.value("type", "");
  const auto value = fields.find("value");
  return (type == "gauge" || type == "counter") && value != fields.end() && value->is_number();
}

std::optional<TestStream> make_sparse_stream(const std::vector<MessageSpec>& few,
                                             const std::vector<Micros>& times, Time start,
                                             std::size_t rows,
                                             std::optional<std::size_t> own_from) {
  TestStream made;
  // Decoded once each: only their times are new. Nothing for a tick.
  std::vector<std::optional<Message>> messages;
  JsonDecoder decoder;
  for (const MessageSpec& spec : few) {
    messages.emplace_back();
    if (spec.fields.empty()) continue;
    Json fields = spec.fields;
    if (const auto uuid = fields.find("uuid"); uuid != fields.end() && uuid->is_string()) {
      Result<std::string> meant = made.names.uuid_of(uuid->get<std::string>());
      if (!meant) return std::nullopt;
      *uuid = std::move(*meant);
    }
    fields["timestamp"] = fields["received_at"] = to_us(start);
    const std::string text = canonical_json(fields);
    JsonDecoder::Defaults defaults;
    defaults.uuid = recording_uuid;
    defaults.recorded = true;
    const auto decoded = decoder.decode(text, defaults);
    const auto* view = std::get_if<MessageView>(&decoded);
    if (view == nullptr) return std::nullopt;
    messages.back().emplace(*view);
  }
  if (messages.empty()) return std::nullopt;

  Stream& stream = made.stream;
  BatchBuilder builder;
  Sequence next{1};
  Time time = start;
  std::uint64_t count = 0;
  builder.add_tick(start, start, Micros{0});
  stream.row_messages.push_back(0);
  const auto finish = [&] {
    Batch batch = builder.finish({}, next, time);
    next = batch.header.last().next();
    stream.batches.push_back(input_of(std::move(batch)));
    time = time_from_us(stream.batches.back()->stream_times.back());
  };
  Time last_tick = start;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const Time at = start + times[i];
    if (whole_second(at) > last_tick) {
      last_tick = whole_second(at);
      builder.add_tick(last_tick, at, Micros{0});
      stream.row_messages.push_back(count);
    }
    if (const auto& message = messages[i % messages.size()]) {
      MessageView view = message->view();
      view.timestamp = view.received_at = at;
      const bool counts = view.type == MessageType::gauge || view.type == MessageType::counter;
      if (own_from && counts && view.value.kind == Value::Kind::number)
        view.value.number = own_value(view.value.number, *own_from + i);
      builder.add(view);
      stream.row_messages.push_back(++count);
    }
    if ((i + 1) % rows == 0 && builder.count() > 0) finish();
  }
  if (builder.count() > 0) finish();
  return made;
}

std::variant<TestStream, TestFileError> make_test_stream(const TestCase& test,
                                                         const std::string& folder,
                                                         std::uint32_t rows_max) {
  TestStream stream;
  if (auto error = Maker(test, folder, rows_max, stream).make()) return std::move(*error);
  return stream;
}

}  // namespace hastur
