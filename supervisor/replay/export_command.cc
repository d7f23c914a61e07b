#include "supervisor/replay/export_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <vector>

#include "message/json_codec.h"
#include "supervisor/replay/history_source.h"
#include "supervisor/replay/plan.h"

namespace hastur {
namespace {

class Export {
 public:
  Export(const ExportOptions& options, Clock& clock) : options_(options), clock_(clock) {}

  Result<void> run();

 private:
  Result<Sequence> sequence_of(const std::string& text, std::optional<Time> newest);
  Result<void> write(const Batch& batch, Sequence last);

  const ExportOptions& options_;
  Clock& clock_;
  std::unique_ptr<HistorySource> source_;
  std::string text_;
  bool is_read_ = true;
};

Result<Sequence> Export::sequence_of(const std::string& text, std::optional<Time> newest) {
  const auto point = parse_replay_point(text, newest);
  if (!point) return fail(point.error());
  if (const auto* sequence = std::get_if<Sequence>(&*point)) return *sequence;
  if (const auto* time = std::get_if<Time>(&*point)) return source_->first_at(*time);
  return fail(ErrorCode::invalid, "a snapshot is no place to export from: give a time");
}

Result<void> Export::write(const Batch& batch, Sequence last) {
  const BatchView view = BatchView::trusted(batch.header, batch.body);
  std::vector<Label> scratch;
  text_.clear();
  for (std::uint32_t row = 0; row < view.count() && view.sequence(row) <= last; ++row) {
    append_message_json(text_, view.message(row, scratch), view.sequence(row));
    text_ += '\n';
  }
  if (std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size() &&
      std::fflush(stdout) == 0)
    return {};
  is_read_ = errno != EPIPE;
  if (!is_read_) return {};
  return fail(ErrorCode::failed, fmt::format("cannot write the output: {}", strerror(errno)));
}

Result<void> Export::run() {
  const Micros began = clock_.monotonic();
  auto source = HistorySource::open(options_.request, clock_);
  if (!source) return fail(source.error());
  source_ = *std::move(source);
  const auto stands = source_->position();
  if (!stands) return fail(stands.error());
  const auto from = sequence_of(options_.from, stands->stream_time);
  if (!from) return fail(from.error());
  Sequence last = stands->last;
  if (!options_.to.empty()) {
    const auto to = sequence_of(options_.to, stands->stream_time);
    if (!to) return fail(to.error());
    const auto point = parse_replay_point(options_.to, stands->stream_time);
    const bool is_time = std::holds_alternative<Time>(*point);
    last = std::min(last, Sequence{is_time ? to->value - 1 : to->value});
  }
  if (last < *from) return {};
  source_->read(*from, last);
  while (is_read_) {
    if (options_.time_max > Micros{0} && clock_.monotonic() - began >= options_.time_max) break;
    auto part = source_->next();
    if (!part) return fail(part.error());
    if (!*part) break;
    if (const auto* batch = std::get_if<Batch>(&**part)) {
      HASTUR_TRY(write(*batch, last));
      if (batch->header.last() >= last) break;
    } else {
      const auto& lost = std::get<LostReply>(**part);
      fmt::print(stderr, "supervisor export: {} to {} are lost: {}\n", lost.first.value,
                 lost.last.value, lost.why);
      if (lost.last >= last) break;
    }
  }
  return {};
}

}  // namespace

int export_command(const ExportOptions& options, Clock& clock) {
  const auto stop = [](int code, const std::string& sentence) {
    fmt::print(stderr, "supervisor export: {}\n", sentence);
    return code;
  };
  if (options.from.empty()) return stop(2, "say from where: --from TIME, SPAN or SEQUENCE");
  // A reader that has enough ends it.
  std::signal(SIGPIPE, SIG_IGN);
  Export exports(options, clock);
  const Result<void> done = exports.run();
  return done ? 0 : stop(1, done.error().message);
}

}  // namespace hastur
