#include "trigger-runtime/host/run_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <tuple>

#include "core/json.h"
#include "message/json_codec.h"
#include "message/router.h"
#include "trigger-runtime/host/conversation.h"
#include "trigger-runtime/host/observed.h"

namespace hastur {
namespace {

// An input that a trigger has taken since its last judgement.
struct Kept {
  std::shared_ptr<const InputBatch> input;
  std::vector<Match> matches;
  // Its rows that are meant: [from_row, end_row).
  std::uint32_t from_row = 0;
  std::uint32_t end_row = 0;
  // The sequence that the listener is told for all of its rows; nothing: their own.
  std::optional<Sequence> stands_for;

  Sequence last() const { return input->batch.header.first.plus(end_row - 1); }
  // The row that follows what was reached.
  std::uint32_t row_after(Sequence reached) const {
    const Sequence first = input->batch.header.first;
    if (reached < first) return from_row;
    return std::max(from_row, static_cast<std::uint32_t>(reached.value - first.value) + 1);
  }
};

struct Track {
  std::size_t number = 0;
  StreamTrigger trigger;
  TriggerHandle handle;
  Router router;  // of this trigger alone, if it takes its own derived messages
  bool own = false;

  // Inputs up to here have been taken, or are not its own.
  Sequence passed;
  std::deque<StreamPause> pauses;

  std::optional<Memory> judged;
  std::deque<Kept> kept;
  std::vector<Skip> skips;
  // All effects of inputs up to here have been handed out. Their hash since the last judgement.
  Sequence handed_out;
  std::uint64_t handed_out_hash = 0;
  // While inputs up to handed_out run again: the hash of what comes out this time.
  std::optional<std::uint64_t> again_hash;
  // Errors that stopped it, at inputs that have not been handed out.
  std::vector<CallError> stop_errors;

  // It takes no more (Options::is_enough).
  bool ended = false;

  // Of triggers that are fed input by input: their own numbering, what is to come back, and the
  // place in the stream that they are done with.
  Sequence next_own{1};
  std::deque<Effect> derived;
  Sequence reached;

  Loaded loaded;
  StreamCost cost;

  // What the worker observes, and what it had seen of loads that are over.
  ObserveCommand::What observing = ObserveCommand::What::nothing;
  std::string observed;

  std::uint64_t matched = 0;
  std::uint64_t stops = 0;
};

std::uint64_t rows_of(std::span<const Match> matches) {
  std::uint64_t rows = 0;
  const Match* before = nullptr;
  for (const Match& match : matches) {
    if (before == nullptr || before->row != match.row) ++rows;
    before = &match;
  }
  return rows;
}

std::span<const Skip> skips_in(const Track& track, Sequence first, Sequence last) {
  const auto begin = std::ranges::lower_bound(track.skips, first, {}, &Skip::sequence);
  const auto end = std::ranges::upper_bound(track.skips, last, {}, &Skip::sequence);
  return {begin, end};
}

std::vector<Subscription> subscriptions_of(const Loaded& loaded, const TriggerName& name,
                                           std::uint32_t number) {
  std::vector<Subscription> subscriptions;
  for (const SubscriptionSpec& spec : loaded.subscriptions) {
    const Result<Json> filter = parse_json(spec.filter);
    // The host has parsed it before it believed the worker.
    subscriptions.push_back(
        {number, spec.callback, spec.types, *Filter::parse(*filter), spec.own, name});
  }
  return subscriptions;
}

}  // namespace

std::shared_ptr<const InputBatch> input_of(Batch batch) {
  auto input = std::make_shared<InputBatch>();
  input->batch = std::move(batch);
  stream_times(BatchView::trusted(input->batch.header, input->batch.body), input->stream_times);
  return input;
}

class StreamRun::Parts {
 public:
  Parts(Worker& worker, StreamListener& listener, Options options)
      : talk_(worker),
        listener_(listener),
        options_(std::move(options)),
        last_handle_(options_.last_handle) {}

  Result<std::variant<std::size_t, ScriptError>> add(StreamTrigger trigger);
  Result<void> feed(const std::shared_ptr<const InputBatch>& input);
  Result<Memory> finish(Track& track);
  // `may_stand_still` is as in JudgeCommand.
  Result<void> judge_here(Track& track, bool may_stand_still);
  Result<std::string> observe(Track& track, ObserveCommand::What what);
  Result<void> unload();
  Track& track(std::size_t number) { return tracks_.at(number); }
  std::uint32_t last_handle() const { return last_handle_; }

 private:
  Result<WorkerReply> answer_to(WorkerCommand command);
  template <class Reply>
  Result<Reply> ask(WorkerCommand command);
  Error describe(const WorkerDied& died) const;
  // `migrate_from`: as in LoadCommand.
  Result<std::variant<Loaded, ScriptError>> load(Track& track, const std::optional<Memory>& memory,
                                                 std::optional<std::string> migrate_from,
                                                 std::optional<WarmHelpers> warm = std::nullopt);

  bool is_enough(Track& track) const {
    if (!track.ended && options_.is_enough)
      track.ended = options_.is_enough(track.number, track.cost);
    return track.ended;
  }
  FeedCommand feed_of(std::shared_ptr<const InputBatch> input,
                      std::vector<TriggerFeed> triggers) const {
    return {std::move(input), std::move(triggers), options_.time_slice,
            options_.is_enough ? options_.instructions_slice : 0};
  }
  static void count(Track& track, const TriggerProgress& progress);
  Result<void> feed_rest(Track& track, const Kept& kept);
  Result<void> feed_restoring(Track& track, const Kept& kept);
  Result<void> restore_here(Track& track, Restore how);
  // The rows that it takes next, as a feed; nothing if the batch has none left for it.
  Result<std::optional<TriggerFeed>> next_feed(Track& track, const InputBatch& input,
                                               std::span<const Match> matches);
  Result<void> feed_by_input(Track& track, const std::shared_ptr<const InputBatch>& input);
  Result<void> feed_one(Track& track, std::shared_ptr<const InputBatch> input,
                        std::vector<Match> matches, Sequence stands_for);
  Result<void> feed_derived(Track& track, Sequence stands_for);
  // Follows up what a feed of the newest kept input brought.
  Result<void> take(Track& track, TriggerProgress progress);
  Result<void> hand_out(Track& track, TriggerProgress& progress);
  Sequence place_of(const Track& track, Sequence sequence) const;
  static std::optional<Time> time_at(const Track& track, Sequence sequence);
  void note_judgement(Track& track, TriggerProgress& progress);
  Result<void> run_again(Track& track, CallError error);
  Result<void> put_back(Track& track);
  Result<void> load_again(Track& track, const std::optional<Memory>& memory);

  Conversation talk_;
  StreamListener& listener_;
  const Options options_;
  std::deque<Track> tracks_;
  std::vector<Subscription> subscriptions_;
  bool routed_ = false;
  Router router_;
  Routed matches_;
  std::uint32_t last_handle_;
};

// ---- talking to the worker ----

Error StreamRun::Parts::describe(const WorkerDied& died) const {
  for (const Track& track : tracks_) {
    if (died.trigger != track.handle) continue;
    std::string text = fmt::format("the worker died while it ran trigger {}", track.trigger.name);
    if (died.callback) text += fmt::format(" in callback {}", *died.callback);
    if (died.sequence) {
      text += fmt::format(" at input {}", place_of(track, *died.sequence).value);
    }
    return {ErrorCode::failed, fmt::format("{}: {}", text, died.why)};
  }
  return {ErrorCode::unavailable, fmt::format("the worker died: {}", died.why)};
}

Result<WorkerReply> StreamRun::Parts::answer_to(WorkerCommand command) {
  Result<WorkerReply> answer = talk_.answer_to(std::move(command));
  if (!answer && talk_.death()) return fail(describe(*talk_.death()));
  return answer;
}

template <class Reply>
Result<Reply> StreamRun::Parts::ask(WorkerCommand command) {
  Result<WorkerReply> answer = answer_to(std::move(command));
  if (!answer) return fail(answer.error());
  auto* reply = std::get_if<Reply>(&*answer);
  HASTUR_CHECK(reply != nullptr, "the host let through an answer of another kind");
  return std::move(*reply);
}

Result<std::variant<Loaded, ScriptError>> StreamRun::Parts::load(
    Track& track, const std::optional<Memory>& memory, std::optional<std::string> migrate_from,
    std::optional<WarmHelpers> warm) {
  using Answer = std::variant<Loaded, ScriptError>;
  track.handle = {++last_handle_};
  const StreamTrigger& trigger = track.trigger;
  Result<WorkerReply> answer = answer_to(LoadCommand{
      track.handle, trigger.name, trigger.run, trigger.script, trigger.libraries, trigger.limits,
      trigger.guards, memory, std::move(migrate_from), trigger.compare_each_call, std::move(warm)});
  if (!answer) return fail(answer.error());
  if (auto* failed = std::get_if<LoadFailed>(&*answer)) return Answer(std::move(failed->error));
  return Answer(std::get<Loaded>(std::move(*answer)));
}

Result<std::variant<std::size_t, ScriptError>> StreamRun::Parts::add(StreamTrigger trigger) {
  HASTUR_CHECK(!routed_, "a trigger was added to a stream that has begun");
  const std::size_t number = tracks_.size();
  Track& track = tracks_.emplace_back();
  track.number = number;
  track.trigger = std::move(trigger);
  auto answer = load(track, track.trigger.memory, track.trigger.migrate_from, track.trigger.warm);
  if (!answer) return fail(answer.error());
  if (auto* error = std::get_if<ScriptError>(&*answer)) {
    tracks_.pop_back();
    return std::variant<std::size_t, ScriptError>(std::move(*error));
  }
  track.loaded = std::get<Loaded>(std::move(*answer));
  const Loaded& loaded = track.loaded;
  track.judged = track.trigger.memory;
  if (loaded.migrated) track.judged->state = *loaded.migrated;
  if (loaded.warmed) {
    track.judged = loaded.warmed;
    track.judged->sequence = track.trigger.after;
  }
  track.passed = track.handed_out = track.reached = track.trigger.after;
  track.skips = track.trigger.skips;
  track.pauses = {track.trigger.pauses.begin(), track.trigger.pauses.end()};
  auto subscriptions =
      subscriptions_of(loaded, track.trigger.name, static_cast<std::uint32_t>(number));
  track.own = options_.derived_come_back &&
              std::ranges::any_of(subscriptions, [](const auto& each) { return each.own; });
  if (track.own) {
    auto alone = subscriptions;
    for (Subscription& each : alone) each.trigger = 0;
    track.router.build(std::move(alone));
  }
  std::ranges::move(subscriptions, std::back_inserter(subscriptions_));
  return std::variant<std::size_t, ScriptError>(number);
}

// ---- feeding ----

Result<void> StreamRun::Parts::feed(const std::shared_ptr<const InputBatch>& input) {
  if (!std::exchange(routed_, true)) router_.build(std::move(subscriptions_));
  if (input->batch.header.count == 0) return {};
  const BatchView view = BatchView::trusted(input->batch.header, input->batch.body);
  router_.route(view, 0, matches_);

  std::vector<Track*> due;
  for (Track& track : tracks_) {
    if (track.own || is_enough(track)) continue;
    if (!options_.restore_after) {
      due.push_back(&track);
      continue;
    }
    const auto matches = matches_.matches(static_cast<std::uint32_t>(track.number));
    track.matched += rows_of(matches);
    HASTUR_TRY(
        feed_restoring(track, {input, {matches.begin(), matches.end()}, 0, view.count(), {}}));
  }
  // A pause within the batch parts it; else the first round is the only one.
  while (!due.empty()) {
    FeedCommand command = feed_of(input, {});
    std::vector<Track*> fed;
    for (Track* track : due) {
      auto feed =
          next_feed(*track, *input, matches_.matches(static_cast<std::uint32_t>(track->number)));
      if (!feed) return fail(feed.error());
      if (!*feed) continue;
      track->matched += rows_of((*feed)->matches);
      track->kept.push_back(
          {input, (*feed)->matches, (*feed)->from_row, (*feed)->end_row, std::nullopt});
      command.triggers.push_back(std::move(**feed));
      fed.push_back(track);
    }
    if (fed.empty()) break;
    std::vector<Sequence> ends;
    for (const TriggerFeed& feed : command.triggers)
      ends.push_back(view.sequence(feed.end_row - 1));
    Result<FeedReply> reply = ask<FeedReply>(std::move(command));
    if (!reply) return fail(reply.error());
    due.clear();
    for (std::size_t i = 0; i < fed.size(); ++i) {
      // What it keeps may be dropped by a judgement before the feed is done.
      const Kept kept = reply->triggers[i].yielded ? fed[i]->kept.back() : Kept{};
      HASTUR_TRY(take(*fed[i], std::move(reply->triggers[i])));
      if (kept.input) HASTUR_TRY(feed_rest(*fed[i], kept));
      if (ends[i] < view.header().last() && !is_enough(*fed[i])) due.push_back(fed[i]);
    }
  }
  for (Track& track : tracks_) {
    if (track.own) HASTUR_TRY(feed_by_input(track, input));
    if (!track.ended) track.reached = view.header().last();
  }
  return {};
}

// What a feed left because its answer was large enough, or it had taken its slice.
Result<void> StreamRun::Parts::feed_rest(Track& track, const Kept& kept) {
  while (track.handed_out < kept.last() && !is_enough(track)) {
    const std::uint32_t from = kept.row_after(track.handed_out);
    const auto skips = skips_in(track, kept.input->batch.header.first.plus(from), kept.last());
    auto reply = ask<FeedReply>(
        feed_of(kept.input,
                {{track.handle, from, kept.end_row, kept.matches, {skips.begin(), skips.end()}}}));
    if (!reply) return fail(reply.error());
    HASTUR_TRY(take(track, std::move(reply->triggers.front())));
  }
  return {};
}

Result<void> StreamRun::Parts::feed_restoring(Track& track, const Kept& whole) {
  const BatchView view = BatchView::trusted(whole.input->batch.header, whole.input->batch.body);
  Kept part = whole;
  auto match = whole.matches.begin();
  for (std::uint32_t row = 0; row < view.count(); ++row) {
    const auto end = std::find_if(match, whole.matches.end(),
                                  [&](const Match& each) { return each.row != row; });
    const bool is_tick = view.types()[row] == static_cast<std::uint8_t>(MessageType::tick);
    const bool is_input = std::exchange(match, end) != end || is_tick;
    const Restore how = is_input ? options_.restore_after(view.sequence(row)) : Restore::no;
    if (how == Restore::no && row + 1 < view.count()) continue;
    part.end_row = row + 1;
    track.kept.push_back(part);
    HASTUR_TRY(feed_rest(track, part));
    if (is_enough(track)) return {};
    if (how != Restore::no) HASTUR_TRY(restore_here(track, how));
    part.from_row = row + 1;
  }
  return {};
}

Result<void> StreamRun::Parts::restore_here(Track& track, Restore how) {
  track.cost.commands += how == Restore::fresh ? 3 : 2;
  Result<Memory> memory = finish(track);
  if (!memory) return fail(memory.error());
  track.judged = std::move(*memory);
  track.kept.clear();
  std::erase_if(track.skips,
                [&](const Skip& skip) { return skip.sequence <= track.judged->sequence; });
  track.handed_out_hash = 0;
  if (how == Restore::in_place) {
    const auto restored = ask<Restored>(RestoreCommand{track.handle, *track.judged, 0});
    return restored ? Result<void>() : fail(restored.error());
  }
  return load_again(track, track.judged);
}

Result<std::optional<TriggerFeed>> StreamRun::Parts::next_feed(Track& track,
                                                               const InputBatch& input,
                                                               std::span<const Match> matches) {
  const BatchHeader& header = input.batch.header;
  while (track.passed < header.last()) {
    const Sequence next = std::max(track.passed.next(), header.first);
    Sequence end = header.last();
    if (!track.pauses.empty()) {
      const StreamPause& pause = track.pauses.front();
      if (pause.from <= next) {
        // A memory that was taken within a pause was judged where that began.
        if (track.passed < pause.from) HASTUR_TRY(judge_here(track, true));
        const bool ends = pause.until && *pause.until <= header.last().next();
        const Sequence last = ends ? Sequence{pause.until->value - 1} : header.last();
        track.passed = std::max(track.passed, last);
        track.handed_out = std::max(track.handed_out, track.passed);
        if (track.judged) track.judged->sequence = track.passed;
        if (ends) track.pauses.pop_front();
        continue;
      }
      end = std::min(end, Sequence{pause.from.value - 1});
    }
    TriggerFeed feed{track.handle,
                     static_cast<std::uint32_t>(next.value - header.first.value),
                     static_cast<std::uint32_t>(end.value - header.first.value + 1),
                     {},
                     {}};
    const auto first = std::ranges::lower_bound(matches, feed.from_row, {}, &Match::row);
    const auto past = std::ranges::lower_bound(matches, feed.end_row, {}, &Match::row);
    feed.matches.assign(first, past);
    for (const Skip& skip : skips_in(track, next, end)) {
      feed.skips.push_back(skip);
      const std::int64_t time = input.stream_times[skip.sequence.value - header.first.value];
      track.stop_errors.push_back(
          {CallError::Kind::raised, skip.sequence, time_from_us(time), skip.callback, skip.error});
    }
    track.passed = end;
    return std::optional(std::move(feed));
  }
  return std::optional<TriggerFeed>();
}

Result<void> StreamRun::Parts::judge_here(Track& track, bool may_stand_still) {
  Result<Judged> judged = ask<Judged>(JudgeCommand{track.handle, may_stand_still});
  if (!judged) return fail(judged.error());
  if (judged->error)
    listener_.error(track.number, place_of(track, judged->error->sequence), *judged->error);
  track.judged = std::move(judged->memory);
  track.handed_out_hash = 0;
  track.kept.clear();
  return {};
}

Result<void> StreamRun::Parts::feed_by_input(Track& track,
                                             const std::shared_ptr<const InputBatch>& input) {
  const BatchView view = BatchView::trusted(input->batch.header, input->batch.body);
  std::span<const Match> matches = matches_.matches(static_cast<std::uint32_t>(track.number));
  for (std::uint32_t row = 0; row < view.count(); ++row) {
    const auto end =
        std::ranges::find_if(matches, [&](const Match& match) { return match.row != row; });
    if (is_enough(track)) return {};
    const bool is_tick = view.types()[row] == static_cast<std::uint8_t>(MessageType::tick);
    if (!is_tick && end == matches.begin()) continue;
    std::vector<Match> ours(matches.begin(), end);
    for (Match& match : ours) match.row = 0;
    matches = {end, matches.end()};
    // It derives it again.
    const std::uint32_t origin = view.origins()[row];
    if (origin != BatchView::none && view.origin(origin).trigger == track.trigger.name) continue;
    track.matched += is_tick ? 0 : 1;

    auto one = std::make_shared<InputBatch>();
    one->batch = slice(view, row, 1);
    one->batch.header.first = track.next_own;
    one->stream_times = {input->stream_times[row]};
    listener_.begins(track.number, {view.sequence(row), track.next_own});
    HASTUR_TRY(feed_one(track, std::move(one), std::move(ours), view.sequence(row)));
    HASTUR_TRY(feed_derived(track, view.sequence(row)));
    if (!track.ended) track.reached = view.sequence(row);
    if (!options_.restore_after) continue;
    const Restore how = options_.restore_after(view.sequence(row));
    if (how != Restore::no) HASTUR_TRY(restore_here(track, how));
  }
  return {};
}

Result<void> StreamRun::Parts::feed_one(Track& track, std::shared_ptr<const InputBatch> input,
                                        std::vector<Match> matches, Sequence stands_for) {
  track.next_own = input->batch.header.last().next();
  FeedCommand command = feed_of(input, {{track.handle, 0, input->batch.header.count, matches, {}}});
  track.kept.push_back({std::move(input), std::move(matches), 0, 1, stands_for});
  Result<FeedReply> reply = ask<FeedReply>(std::move(command));
  if (!reply) return fail(reply.error());
  return take(track, std::move(reply->triggers.front()));
}

// What a derived message derives comes back after those derived before it; their depth bounds this.
Result<void> StreamRun::Parts::feed_derived(Track& track, Sequence stands_for) {
  JsonDecoder decoder;
  Routed routed;
  for (; !track.derived.empty() && !is_enough(track); track.derived.pop_front()) {
    const Effect& effect = track.derived.front();
    JsonDecoder::Defaults defaults;
    defaults.received_at = effect.time;
    const std::string uuid = trigger_uuid(track.trigger.name);
    defaults.uuid = uuid;
    defaults.recorded = true;
    auto decoded = decoder.decode(effect.payload, defaults);
    auto* message = std::get_if<MessageView>(&decoded);
    if (message == nullptr) {
      return fail(ErrorCode::corrupt,
                  fmt::format("trigger {} derived a message that is none: {}", track.trigger.name,
                              std::get<JsonDecoder::Refused>(decoded).text));
    }
    message->received_at = effect.time;
    message->hostname.reset();
    message->origin = Origin{track.trigger.name, track.trigger.run, effect.sequence, effect.ordinal,
                             effect.depth};
    BatchBuilder builder;
    builder.add(*message);
    auto one = std::make_shared<InputBatch>();
    one->batch = builder.finish({}, track.next_own, effect.time);
    one->stream_times = {to_us(effect.time)};
    track.router.route(BatchView::trusted(one->batch.header, one->batch.body), 0, routed);
    const auto matches = routed.matches(0);
    const bool is_taken = !matches.empty();
    listener_.begins(
        track.number,
        {stands_for, is_taken ? std::optional(track.next_own) : std::nullopt, message});
    if (!is_taken) continue;
    HASTUR_TRY(feed_one(track, std::move(one), {matches.begin(), matches.end()}, stands_for));
  }
  return {};
}

// ---- what comes back ----

Result<void> StreamRun::Parts::take(Track& track, TriggerProgress progress) {
  HASTUR_TRY(hand_out(track, progress));
  note_judgement(track, progress);
  count(track, progress);
  track.cost.effects_cut += progress.effects_cut;
  if (progress.stopped) return run_again(track, std::move(progress.stopped->error));
  return {};
}

// What it took. (What was cut off is counted once, though the input may run again.)
void StreamRun::Parts::count(Track& track, const TriggerProgress& progress) {
  ++track.cost.commands;
  track.cost.callbacks += progress.callbacks;
  track.cost.instructions += progress.instructions;
  track.cost.cpu += progress.cpu;
  if (progress.callbacks == 1)
    track.cost.instructions_most = std::max(track.cost.instructions_most, progress.instructions);
}

Sequence StreamRun::Parts::place_of(const Track& track, Sequence sequence) const {
  for (const Kept& kept : track.kept) {
    if (sequence <= kept.last()) return kept.stands_for.value_or(sequence);
  }
  return sequence;
}

std::optional<Time> StreamRun::Parts::time_at(const Track& track, Sequence sequence) {
  for (const Kept& kept : track.kept) {
    const BatchHeader& header = kept.input->batch.header;
    if (sequence < header.first || sequence > header.last()) continue;
    return time_from_us(kept.input->stream_times[sequence.value - header.first.value]);
  }
  return std::nullopt;
}

Result<void> StreamRun::Parts::hand_out(Track& track, TriggerProgress& progress) {
  // An error that stopped it belongs to its input, whose other callbacks have run by now.
  const auto stopped_before = std::ranges::partition_point(
      track.stop_errors,
      [&](const CallError& error) { return error.sequence <= progress.reached; });
  progress.errors.insert(progress.errors.end(), track.stop_errors.begin(), stopped_before);
  track.stop_errors.erase(track.stop_errors.begin(), stopped_before);
  // What one input raised stands in the order of its callbacks, and its judgement last.
  std::ranges::stable_sort(progress.errors, {}, [](const CallError& error) {
    const bool is_judgement = error.kind == CallError::Kind::judgement;
    return std::tuple(error.sequence, is_judgement, error.callback);
  });

  auto error = progress.errors.begin();
  const auto errors_before = [&](Sequence sequence) {
    for (; error != progress.errors.end() && error->sequence < sequence; ++error) {
      if (error->sequence <= track.handed_out) continue;
      listener_.error(track.number, place_of(track, error->sequence), *error);
    }
  };
  for (Effect& effect : progress.effects) {
    if (effect.sequence <= track.handed_out) {
      if (track.again_hash) track.again_hash = fold_effect(*track.again_hash, effect);
      continue;
    }
    errors_before(effect.sequence);
    listener_.effect(track.number, place_of(track, effect.sequence), effect);
    if (track.own && is_message(effect.kind)) track.derived.push_back(std::move(effect));
  }
  errors_before(progress.reached.next());

  if (progress.reached < track.handed_out) return {};
  if (track.again_hash && *track.again_hash != track.handed_out_hash) {
    return fail(ErrorCode::conflict,
                fmt::format("trigger {} diverged: run again up to input {} it had other effects",
                            track.trigger.name, track.handed_out.value));
  }
  track.again_hash.reset();
  track.handed_out = progress.reached;
  track.handed_out_hash = progress.effects_hash;
  return {};
}

void StreamRun::Parts::note_judgement(Track& track, TriggerProgress& progress) {
  if (progress.judged) track.judged = std::move(progress.judged);
  if (!progress.touched && track.judged) {
    // It is still right here: what it was judged on has not been touched.
    track.judged->sequence = progress.reached;
    track.judged->time = time_at(track, progress.reached).value_or(track.judged->time);
  }
  if (!track.judged) return;
  while (!track.kept.empty() && track.kept.front().last() <= track.judged->sequence) {
    track.kept.pop_front();
  }
  std::erase_if(track.skips,
                [&](const Skip& skip) { return skip.sequence <= track.judged->sequence; });
}

Result<void> StreamRun::Parts::run_again(Track& track, CallError error) {
  while (true) {
    ++track.stops;
    track.cost.commands += 2;
    track.cost.out_of_memory += error.kind == CallError::Kind::memory ? 1 : 0;
    const Skip skip{error.sequence, error.callback, error.error};
    track.skips.insert(std::ranges::upper_bound(track.skips, skip), skip);
    if (error.sequence > track.handed_out) {
      const auto place =
          std::ranges::upper_bound(track.stop_errors, error.sequence, {}, &CallError::sequence);
      track.stop_errors.insert(place, std::move(error));
    }

    HASTUR_TRY(put_back(track));
    track.again_hash = 0;
    std::optional<Stopped> stopped;
    // A judgement on the way drops what it covers from the front.
    const Sequence end = track.kept.back().last();
    Sequence reached = track.judged ? track.judged->sequence : Sequence{};
    // What has failed is told, whatever that costs.
    while (!stopped && reached < end && !(is_enough(track) && track.stop_errors.empty())) {
      const auto next =
          std::ranges::find_if(track.kept, [&](const Kept& kept) { return kept.last() > reached; });
      const std::uint32_t from = next->row_after(reached);
      const auto skips = skips_in(track, next->input->batch.header.first.plus(from), next->last());
      auto reply = ask<FeedReply>(feed_of(
          next->input,
          {{track.handle, from, next->end_row, next->matches, {skips.begin(), skips.end()}}}));
      if (!reply) return fail(reply.error());
      TriggerProgress& progress = reply->triggers.front();
      count(track, progress);
      HASTUR_TRY(hand_out(track, progress));
      stopped = std::move(progress.stopped);
      reached = progress.reached;
      note_judgement(track, progress);
    }
    if (!stopped) return {};
    if (is_enough(track) && track.stop_errors.empty()) return put_back(track);
    error = std::move(stopped->error);
  }
}

// To where it was judged last.
Result<void> StreamRun::Parts::put_back(Track& track) {
  // Never judged: there is nothing to put back, only a fresh start.
  if (!track.judged) return load_again(track, std::nullopt);
  const auto restored =
      ask<Restored>(RestoreCommand{track.handle, *track.judged, options_.guarded_callbacks});
  return restored ? Result<void>() : fail(restored.error());
}

Result<void> StreamRun::Parts::load_again(Track& track, const std::optional<Memory>& memory) {
  if (track.observing != ObserveCommand::What::nothing) {
    Result<Observed> observed =
        ask<Observed>(ObserveCommand{track.handle, ObserveCommand::What::nothing});
    if (!observed) return fail(observed.error());
    track.observed = join_observed(track.observed, std::move(observed->json));
  }
  const auto unloaded = ask<Unloaded>(UnloadCommand{track.handle});
  if (!unloaded) return fail(unloaded.error());
  const auto loaded = load(track, memory, std::nullopt);
  if (!loaded) return fail(loaded.error());
  if (const auto* refused = std::get_if<ScriptError>(&*loaded)) {
    return fail(ErrorCode::conflict, fmt::format("trigger {} does not load a second time: {}",
                                                 track.trigger.name, refused->text));
  }
  if (track.observing == ObserveCommand::What::nothing) return {};
  const auto observed = ask<Observed>(ObserveCommand{track.handle, track.observing});
  return observed ? Result<void>() : fail(observed.error());
}

Result<std::string> StreamRun::Parts::observe(Track& track, ObserveCommand::What what) {
  Result<Observed> observed = ask<Observed>(ObserveCommand{track.handle, what});
  if (!observed) return fail(observed.error());
  track.observing = what;
  return join_observed(std::exchange(track.observed, {}), std::move(observed->json));
}

Result<void> StreamRun::Parts::unload() {
  for (const Track& track : tracks_) {
    const auto unloaded = ask<Unloaded>(UnloadCommand{track.handle});
    if (!unloaded) return fail(unloaded.error());
  }
  tracks_.clear();
  return {};
}

Result<Memory> StreamRun::Parts::finish(Track& track) {
  Result<Judged> judged = ask<Judged>(JudgeCommand{track.handle});
  if (!judged) return fail(judged.error());
  if (judged->error) {
    listener_.error(track.number, place_of(track, judged->error->sequence), *judged->error);
  }
  return std::move(judged->memory);
}

StreamRun::StreamRun(Worker& worker, StreamListener& listener, Options options)
    : parts_(std::make_unique<Parts>(worker, listener, std::move(options))) {}
StreamRun::~StreamRun() = default;

Result<std::variant<std::size_t, ScriptError>> StreamRun::add(StreamTrigger trigger) {
  return parts_->add(std::move(trigger));
}
Result<void> StreamRun::feed(std::shared_ptr<const InputBatch> input) {
  return parts_->feed(input);
}
Result<Memory> StreamRun::finish(std::size_t trigger) {
  return parts_->finish(parts_->track(trigger));
}
Result<Memory> StreamRun::judge(std::size_t trigger) {
  Track& track = parts_->track(trigger);
  HASTUR_TRY(parts_->judge_here(track, false));
  return *track.judged;
}
std::uint64_t StreamRun::matched(std::size_t trigger) const {
  return parts_->track(trigger).matched;
}
std::uint64_t StreamRun::stops(std::size_t trigger) const { return parts_->track(trigger).stops; }
StreamCost StreamRun::cost(std::size_t trigger) const { return parts_->track(trigger).cost; }
const Loaded& StreamRun::loaded(std::size_t trigger) const { return parts_->track(trigger).loaded; }
Sequence StreamRun::reached(std::size_t trigger) const {
  const Track& track = parts_->track(trigger);
  return track.own ? track.reached : track.handed_out;
}
Result<std::string> StreamRun::observe(std::size_t trigger, ObserveCommand::What what) {
  return parts_->observe(parts_->track(trigger), what);
}
Result<void> StreamRun::unload() { return parts_->unload(); }
std::uint32_t StreamRun::last_handle() const { return parts_->last_handle(); }

}  // namespace hastur
