// Api: /v1/stats, numbers out of History.

#include <fmt/format.h>

#include <deque>

#include "supervisor/dispatch/run_order.h"
#include "supervisor/http/answers.h"
#include "supervisor/http/api.h"
#include "supervisor/http/stats.h"

namespace hastur {
namespace {

// A message stands in the stream near its timestamp: a little before it where the sender's clock is
// ahead, later where it was late on its way. Corrections of a replay stand where that took over.
constexpr Micros ahead = std::chrono::minutes{1};
constexpr Micros late = std::chrono::minutes{10};

// Of a derived message only what its newest run says counts.
class StatsReading : public std::enable_shared_from_this<StatsReading> {
 public:
  StatsReading(StatsQuery query, CheckpointStore& store, HistoryReader& history, Clock& clock,
               HttpServer::Respond respond)
      : stats_(std::move(query)),
        order_(store),
        history_(history),
        clock_(clock),
        respond_(std::move(respond)) {}

  void expect_corrections(const TriggerName& trigger) {
    const auto replays = order_.replays(trigger);
    if (!replays) return;
    for (const RunOrder::Replay& replay : *replays) replays_.push_back({trigger, replay});
  }

  void begin() {
    ReadRequest read;
    read.from_time = stats_.query().from - ahead;
    const auto counts = [this](const Origin& origin) {
      return !origin.correction && !is_superseded(origin);
    };
    run(std::move(read), stats_.query().to + late, counts);
  }

 private:
  struct Corrected {
    TriggerName trigger;
    RunOrder::Replay replay;
  };

  bool is_superseded(const Origin& origin) {
    return order_.is_superseded(TriggerName(origin.trigger), origin.run, origin.sequence)
        .value_or(false);
  }

  // `last` nothing: a while after where the read begins.
  void run(ReadRequest read, std::optional<Time> last, std::function<bool(const Origin&)> counts) {
    read.names = {stats_.query().name};
    history_.read(
        std::move(read),
        [self = shared_from_this(), last, counts](const BatchView& batch) mutable {
          if (!last) last = batch.header().stream_time_before + late;
          self->stats_.add(batch, counts);
          return batch.header().stream_time_before < *last;
        },
        [self = shared_from_this()](const Result<void>& done) {
          if (!done) return self->respond_(refuse(503, "unavailable", done.error().message));
          self->next();
        },
        clock_.monotonic());
  }

  void next() {
    if (replays_.empty()) return respond_(ok(stats_.to_json()));
    const Corrected corrected = std::move(replays_.front());
    replays_.pop_front();
    ReadRequest read;
    read.from = corrected.replay.live;
    run(std::move(read), std::nullopt, [this, corrected](const Origin& origin) {
      return origin.correction && origin.trigger == corrected.trigger &&
             origin.run == corrected.replay.run && !is_superseded(origin);
    });
  }

  Stats stats_;
  RunOrder order_;
  HistoryReader& history_;
  Clock& clock_;
  HttpServer::Respond respond_;
  std::deque<Corrected> replays_;
};

}  // namespace

void Api::stats(const HttpRequest& request, const HttpServer::Respond& respond) {
  Arguments arguments(request);
  StatsQuery query;
  query.name = arguments.text("name");
  query.uuid = arguments.uuid("uuid");
  query.to = arguments.time("to").value_or(dispatcher_.stream_time().value_or(clock_.now()) +
                                           std::chrono::seconds{1});
  query.from = arguments.time("from").value_or(query.to - std::chrono::hours{1});
  query.step = arguments.span("step", std::chrono::minutes{1});
  const std::string fold = arguments.text("fn");
  const auto known = fold_from_name(fold.empty() ? "mean" : fold);
  if (query.name.empty())
    arguments.refuse("name is missing: say which statistic, as in name=my.gauge");
  if (!known) arguments.refuse("fn is one of mean, min, max, sum, count, last");
  if (query.from >= query.to) arguments.refuse("from must be before to");
  if (query.step <= Micros{0}) arguments.refuse("step must be longer than nothing");
  if (arguments.error().empty() &&
      (query.to - query.from) / query.step > static_cast<std::int64_t>(stats_points_max)) {
    arguments.refuse(
        fmt::format("that would be more than {} points: take a longer step", stats_points_max));
  }
  if (!arguments.error().empty()) return respond(refuse(400, "bad_argument", arguments.error()));
  query.fold = *known;

  // Owned by the callbacks of its reads.
  const auto reading =
      std::make_shared<StatsReading>(std::move(query), store_, history_, clock_, respond);
  for (const auto& [name, trigger] : dispatcher_.triggers()) reading->expect_corrections(name);
  reading->begin();
}

}  // namespace hastur
