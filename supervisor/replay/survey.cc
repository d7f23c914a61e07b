#include "supervisor/replay/survey.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {

Result<std::unique_ptr<CheckpointStore>> open_to_read(const std::string& path) {
  SqliteStoreOptions options;
  options.path = path;
  options.read_only = true;
  return open_store(options);
}

Result<Sequence> last_input(const std::string& to, const PositionReply& stands,
                            HistorySource& source) {
  if (to.empty()) return stands.last;
  const auto point = parse_replay_point(to, stands.stream_time);
  if (!point) return fail(point.error());
  if (const auto* sequence = std::get_if<Sequence>(&*point))
    return std::min(stands.last, *sequence);
  const auto* time = std::get_if<Time>(&*point);
  if (time == nullptr) return fail(ErrorCode::invalid, "--to takes a time or a sequence");
  const auto past = source.first_at(*time);
  if (!past) return fail(past.error());
  return Sequence{past->value - 1};
}

Result<Survey> survey(const ReplayOptions& options, HistorySource& source) {
  auto store = open_to_read(options.state);
  if (!store) return fail(store.error());
  Survey survey;
  survey.store = std::move(*store);
  const auto stands = source.position();
  if (!stands) return fail(stands.error());
  survey.stream = stands->stream;
  if (survey.store->stream() && *survey.store->stream() != stands->stream) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is of stream {}, the syndicator at {} has stream {}; name the "
                            "History that belongs to it",
                            options.state, survey.store->stream()->to_string(), options.request,
                            stands->stream.to_string()));
  }
  const auto from = parse_replay_point(options.from, stands->stream_time);
  if (!from) return fail(from.error());
  const FirstAt first_at = [&](Time time) { return source.first_at(time); };
  auto planned = plan_replay(*survey.store, options.trigger, *from, first_at);
  if (!planned) return fail(planned.error());
  survey.plan = std::move(*planned);

  const auto last = last_input(options.to, *stands, source);
  if (!last) return fail(last.error());
  survey.last = *last;
  if (survey.last < survey.plan.begin)
    return fail(ErrorCode::invalid, "there is nothing between --from and --to");
  return survey;
}

}  // namespace hastur
