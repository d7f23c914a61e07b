#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/json.h"
#include "message/json_codec.h"
#include "message/router.h"

namespace hastur::test {
namespace {

constexpr std::uint32_t worker_count = 2;
const Time start_time = time_from_us(1'704'067'200'000'000);
constexpr std::string_view host_uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";

std::uint64_t message_hash(const MessageView& message) {
  std::string text;
  append_message_json(text, message);
  return hash64(text);
}

}  // namespace

World::World(std::uint64_t seed, const WorldOptions& options)
    : seed_(seed), options_(options), random_(seed), clock_(start_time) {
  const std::vector<std::pair<std::string, std::string>> scripts = {
      {"plain", "match=a emit=3 notify=5"},
      {"periodic", "match=b every=2 notify=7"},
      {"raising", fmt::format("match=a emit=2 notify=3 raise={}", 5 + pick(20))},
      {"chained", "match=plain.sum emit=2"},
      {"quiet", "match=never every=5"},
      {"idle", "match=never"},
      {"failing", "match=b raise=1 every=3"},
      {"keyless", "match=b notify=4 keyless=1"},
      {"resolving", "match=a notify=3 resolve=3"},
  };
  for (const auto& [name, text] : scripts) {
    scripts_.push_back({name, make_version({name + ".lua", text}, {})});
    names_.insert(name);
  }
  start_syndicator();
  start_supervisor();
  if (options_.deployments) dispatcher_->deploy({.commit = "first", .scripts = scripts_});
}

World::~World() {
  dispatcher_.reset();
  store_.reset();
  syndicator_.reset();
  history_.reset();
}

// ---- processes ----

void World::start_syndicator() {
  history_disk_.restart();
  SqliteHistoryOptions options;
  options.directory = "history";
  options.durability = options_.durability;
  options.boot_id = fmt::format("boot-{}", boot_);
  options.vfs = history_disk_.name();
  options.list_files = [this] { return history_disk_.list("history"); };
  auto history = open_history(options);
  HASTUR_CHECK(history.has_value(), history ? "" : history.error().message.c_str());
  history_ = plant(options_.planted, std::move(*history));
  syndicator_ = std::make_unique<Syndicator>(*history_, Syndicator::Options{}, clock_.now());
}

void World::start_supervisor() {
  store_disk_.restart();
  SqliteStoreOptions options;
  options.path = "state.db";
  options.synced = options_.durability == Durability::synced;
  options.vfs = store_disk_.name();
  auto store = open_store(options);
  HASTUR_CHECK(store.has_value(), store ? "" : store.error().message.c_str());
  committed_ = store->get();
  if (const auto newest = committed_->deployments({.max = 1}); newest && !newest->empty()) {
    seen_.gone_on += static_cast<std::uint64_t>(
        std::ranges::count(newest->front().changes, std::string(), &DeploymentChange::outcome));
  }
  store_ = plant(options_.planted, std::move(*store));
  Dispatcher::Options dispatcher_options;
  dispatcher_options.workers = worker_count;
  dispatcher_options.runtime_build = "fake";
  // Small, so that triggers that go back must often read History.
  dispatcher_options.recent_bytes_max = 4'000 + pick(20'000);
  // Some states are large, some are not; all are, and none.
  dispatcher_options.large_state_bytes = pick(80);
  dispatcher_options.aside_after = std::chrono::milliseconds{300};
  dispatcher_options.back_after = std::chrono::seconds{2};
  // A supervisor that was down for a while has late notifications.
  dispatcher_options.late_after = std::chrono::seconds{5};
  workers_.clear();
  workers_.resize(worker_count);
  dispatcher_ = std::make_unique<Dispatcher>(*store_, clock_, std::move(dispatcher_options));
  if (!options_.deployments) dispatcher_->desire(scripts_);
  carry_out();
}

void World::crash_syndicator() {
  if (!syndicator_) return;
  if (!history_disk_.is_down()) history_disk_.kill();
  syndicator_.reset();
  history_.reset();
  connected_ = false;
  // What was on its way from it may still arrive, what was on its way to it does not.
  requests_.clear();
  replies_.clear();
}

void World::crash_supervisor() {
  if (!dispatcher_) return;
  if (!store_disk_.is_down()) store_disk_.kill();
  dispatcher_.reset();
  store_.reset();
  workers_.clear();
  connected_ = false;
  published_.clear();
  replies_.clear();
}

void World::cut_power() {
  ++seen_.power_cuts;
  history_disk_.cut_power(random_());
  store_disk_.cut_power(random_());
  crash_syndicator();
  crash_supervisor();
  requests_.clear();
  ++boot_;
}

// A disk that went down in the middle of a write took its process with it.
void World::check_disks() {
  if (syndicator_ && history_disk_.is_down()) {
    ++seen_.kills;
    crash_syndicator();
  }
  if (dispatcher_ && store_disk_.is_down()) {
    ++seen_.kills;
    crash_supervisor();
  }
}

void World::connect() {
  if (connected_ || !syndicator_ || !dispatcher_) return;
  connected_ = true;
  requests_.clear();
  replies_.clear();
  ++connection_;
  dispatcher_->connected();
  carry_out();
}

// ---- steps ----

void World::inject() {
  const std::uint64_t count = 1 + pick(12);
  for (std::uint64_t i = 0; i < count; ++i) {
    const char* name = chance(50) ? "a" : chance(80) ? "b" : "c";
    std::string text = fmt::format(
        R"({{"type":"gauge","name":"{}","value":{},"timestamp":{},"uuid":"{}"}})", name,
        ++datagrams_, to_us(clock_.now()) - static_cast<std::int64_t>(pick(1'500'000)), host_uuid);
    if (chance(3)) text.resize(text.size() / 2);
    syndicator_->take_datagram(text, clock_.now());
  }
}

void World::turn_syndicator() {
  Syndicator::Turn turn = syndicator_->turn(clock_.now(), clock_.monotonic(), true);
  if (history_disk_.is_down()) return;
  for (const Batch& batch : turn.published) {
    const auto view = BatchView::open(batch.header, batch.body);
    HASTUR_CHECK(view.has_value(), "the syndicator published garbage");
    std::vector<Label> labels;
    for (std::uint32_t row = 0; row < view->count(); ++row) {
      const std::uint64_t sequence = view->sequence(row).value;
      const std::uint64_t hash = message_hash(view->message(row, labels));
      const auto [found, added] = published_hashes_.emplace(sequence, hash);
      if (!added && found->second != hash)
        reused_ = fmt::format("sequence {} was published with two contents", sequence);
    }
    if (chance(20)) {
      ++seen_.dropped;
      continue;
    }
    published_.push_back(encode_frame(batch));
    if (chance(5)) published_.push_back(published_.back());
    if (chance(5) && published_.size() > 1)
      std::swap(published_.back(), published_[published_.size() - 2]);
  }
  const auto send = [this](std::vector<Syndicator::Reply>& replies) {
    for (Syndicator::Reply& reply : replies) {
      if (connected_ && reply.peer == std::to_string(connection_))
        replies_.push_back(std::move(reply.frame));
    }
  };
  send(turn.replies);
  Syndicator::Service service = syndicator_->serve(clock_.now());
  if (history_disk_.is_down()) return;
  send(service.replies);
  if (chance(20)) (void)history_->maintain(clock_.now());
}

void World::check_release(const AppendRequest& append) {
  if (!broken_.empty()) return;
  const auto kept = committed_->outbox(0, committed_->outbox_size());
  if (!kept) return;
  for (const DerivedMessage& message : append.messages) {
    const bool committed = std::ranges::any_of(*kept, [&](const OutboxMessage& each) {
      return each.trigger == message.trigger && each.run == message.run &&
             each.sequence == message.sequence && each.ordinal == message.ordinal;
    });
    if (committed) continue;
    broken_ = fmt::format("seed {}: {} let out what it derived at {} before that was committed",
                          seed_, message.trigger, message.sequence.value);
    return;
  }
}

void World::turn_supervisor() {
  dispatcher_->turn();
  carry_out();
}

void World::carry_out() {
  std::vector<Action> actions = dispatcher_->take_actions();
  // A process that died in this step has done nothing that anybody can see.
  if (store_disk_.is_down()) return;
  for (Action& action : actions) {
    if (const auto* decided = std::get_if<Deployed>(&action)) {
      ++(decided->record.sequence ? seen_.deployments : seen_.refused);
    } else if (auto* send = std::get_if<SendRequest>(&action)) {
      if (const auto* append = std::get_if<AppendRequest>(&send->frame.request))
        check_release(*append);
      if (connected_) requests_.push_back(std::move(send->frame));
    } else if (auto* start = std::get_if<StartWorker>(&action)) {
      if (start->worker >= workers_.size()) workers_.resize(start->worker + 1);
      workers_[start->worker] = {std::make_unique<FakeWorker>(), {}};
      workers_[start->worker].fake->forgets_determinism = bugs.workers_forget_determinism;
      if (start->worker >= worker_count) ++seen_.aside;
      if (options_.slices && chance(60))
        workers_[start->worker].fake->inputs_a_slice = static_cast<std::uint32_t>(1 + pick(20));
    } else if (auto* ended = std::get_if<EndWorker>(&action)) {
      workers_[ended->worker] = {};
    } else if (auto* command = std::get_if<ToWorker>(&action)) {
      if (workers_[command->worker].fake)
        workers_[command->worker].commands.push_back(std::move(command->command));
    } else if (auto* stop = std::get_if<StopProcess>(&action)) {
      if (broken_.empty())
        broken_ = fmt::format("seed {}: the supervisor stops: {}", seed_, stop->why.message);
    }
  }
}

void World::deliver_one() {
  switch (pick(4)) {
    case 0:
      if (!dispatcher_ || published_.empty()) return;
      {
        auto batch = decode_frame(published_.front());
        published_.pop_front();
        HASTUR_CHECK(batch.has_value(), "a published frame did not decode");
        dispatcher_->published(std::move(*batch));
        carry_out();
      }
      return;
    case 1:
      if (!syndicator_ || requests_.empty()) return;
      {
        const RequestFrame frame = std::move(requests_.front());
        requests_.pop_front();
        syndicator_->take_request(std::to_string(connection_), frame, clock_.now());
        turn_syndicator();
      }
      return;
    case 2:
      if (!dispatcher_ || !connected_ || replies_.empty()) return;
      {
        ReplyFrame frame = std::move(replies_.front());
        replies_.pop_front();
        dispatcher_->replied(std::move(frame));
        carry_out();
      }
      return;
    default: {
      if (!dispatcher_) return;
      const auto worker = static_cast<std::uint32_t>(pick(workers_.size()));
      if (workers_[worker].commands.empty()) return;
      const WorkerCommand command = std::move(workers_[worker].commands.front());
      workers_[worker].commands.pop_front();
      dispatcher_->worker_replied(worker, workers_[worker].fake->execute(command));
      carry_out();
    }
  }
}

void World::step(bool faults) {
  clock_.advance(Micros{static_cast<std::int64_t>(1'000 + pick(chance(5) ? 3'000'000 : 120'000))});
  if (syndicator_ && faults && chance(70)) inject();
  if (syndicator_) turn_syndicator();
  check_disks();
  const std::uint64_t deliveries = faults ? pick(12) : 40;
  for (std::uint64_t i = 0; i < deliveries; ++i) {
    deliver_one();
    check_disks();
  }
  if (dispatcher_) turn_supervisor();
  check_disks();

  if (faults && options_.kills) {
    if (chance(2) && syndicator_) history_disk_.kill_at_change(1 + pick(30));
    if (chance(2) && dispatcher_) store_disk_.kill_at_change(1 + pick(30));
    if (chance(1)) {
      ++seen_.kills;
      crash_syndicator();
    }
    if (chance(1)) {
      ++seen_.kills;
      crash_supervisor();
    }
    if (chance(2) && dispatcher_) {
      const auto worker = static_cast<std::uint32_t>(pick(workers_.size()));
      if (workers_[worker].fake) {
        ++seen_.worker_deaths;
        workers_[worker] = {};
        dispatcher_->worker_died(worker, WorkerDied{"killed by the simulation", {}, {}, {}});
        carry_out();
      }
    }
    if (chance(1) && connected_) connected_ = false;
  }
  if (faults && options_.pauses && dispatcher_ && chance(3)) {
    const TriggerName& name = scripts_[pick(scripts_.size())].name;
    const bool done = chance(50) ? dispatcher_->pause(name, "the simulation").has_value()
                                 : dispatcher_->resume(name, "the simulation").has_value();
    if (done) ++seen_.pauses;
    carry_out();
    check_disks();
  }
  if (faults && options_.deployments && dispatcher_ && chance(12)) deploy();
  check_disks();
  if (faults && options_.power_cuts && chance(1)) cut_power();
  if (faults && options_.full_disks) {
    if (chance(2)) history_disk_.set_room(history_disk_.used_bytes() + pick(20'000));
    if (chance(2)) store_disk_.set_room(store_disk_.used_bytes() + pick(20'000));
    if (chance(10)) history_disk_.set_room(std::nullopt), store_disk_.set_room(std::nullopt);
  }

  if (!syndicator_ && (!faults || chance(20))) start_syndicator();
  if (!dispatcher_ && (!faults || chance(20))) start_supervisor();
  check_disks();
  if (!connected_ && (!faults || chance(50))) connect();
  check_disks();
}

bool World::settled() {
  if (!syndicator_ || !dispatcher_ || !connected_ || store_->outbox_size() > 0) return false;
  if (dispatcher_->stage() != Dispatcher::Stage::running ||
      dispatcher_->main_position() != history_->last())
    return false;
  if (!options_.deployments && dispatcher_->triggers().size() != scripts_.size()) return false;
  if (std::ranges::any_of(dispatcher_->triggers(),
                          [](const auto& entry) { return entry.second->next_switch.has_value(); }))
    return false;
  const auto late =
      store_->notifications({.since = {}, .status = NotificationStatus::pending, .trigger = {}});
  if (!late || !late->empty()) return false;
  return std::ranges::all_of(dispatcher_->triggers(), [this](const auto& entry) {
    const Trigger& trigger = *entry.second;
    return trigger.phase == Trigger::Phase::running && trigger.unanswered() == 0 &&
           trigger.cursor() == dispatcher_->main_position();
  });
}

void World::run() {
  for (std::size_t i = 0; i < options_.steps && broken_.empty(); ++i) step(true);
  if (!broken_.empty()) return;
  history_disk_.set_room(std::nullopt);
  store_disk_.set_room(std::nullopt);
  // A kill that was still to come comes now, so that none comes later.
  crash_syndicator();
  crash_supervisor();
  start_syndicator();
  start_supervisor();
  for (int i = 0; i < 3'000 && !settled() && broken_.empty(); ++i) step(false);
  if (!broken_.empty()) return;
  for (const auto& [name, trigger] : dispatcher_->triggers()) {
    seen_.callbacks += trigger->counts.callbacks;
    seen_.restarts += trigger->counts.restarts;
  }
}

// ---- what must hold ----

const std::vector<std::shared_ptr<const InputBatch>>& World::all_batches() {
  if (all_batches_) return *all_batches_;
  auto& all = all_batches_.emplace();
  Sequence from{1};
  while (true) {
    auto read = history_->read(from, {});
    HASTUR_CHECK(read.has_value(), "History could not be read at the end");
    if (read->empty()) return all;
    from = read->back().header.last().next();
    for (Batch& batch : *read) {
      auto input = std::make_shared<InputBatch>();
      input->batch = std::move(batch);
      stream_times(BatchView::trusted(input->batch.header, input->batch.body), input->stream_times);
      all.push_back(std::move(input));
    }
  }
}

const World::Reference& World::reference(const TriggerName& name, const RunRecord& run,
                                         Sequence until) {
  const std::tuple key(name, run.run, until);
  const auto found = references_.find(key);
  return found != references_.end()
             ? found->second
             : references_.emplace(key, pass(name, run, until)).first->second;
}

// One pass over what comes after `after`, by a worker that never stops: errors are taken back in
// place.
World::Reference World::pass(const TriggerName& name, const RunRecord& run, Sequence until) {
  const Sequence after = run.after;
  const auto journal = store_->journal(name, run.run);
  HASTUR_CHECK(journal.has_value(), "the journal could not be read at the end");
  const std::vector<Pause> pauses = pauses_from_journal(*journal);
  const auto version = store_->version(run.version);
  HASTUR_CHECK(version && *version, "a version that ran is not in the store");
  FakeWorker worker;
  LoadCommand load;
  load.handle = TriggerHandle{1};
  load.name = name;
  load.script = {(*version)->files[0].path, (*version)->files[0].text};
  const auto loaded = std::get<Loaded>(worker.execute(load));
  Reference result;
  const auto first = std::get<Judged>(worker.execute(JudgeCommand{load.handle}));
  Memory memory{after, {}, first.memory.state, "{}"};
  // Whether the state has not been taken since it last changed.
  bool touched = true;
  const auto kept = store_->snapshots(name);
  HASTUR_CHECK(kept.has_value(), "the snapshots could not be read at the end");
  for (const SnapshotRecord& record : *kept) {
    if (record.run != run.run || record.sequence != after) continue;
    const auto start = store_->snapshot(record.number);
    memory = {after, record.time, (*start)->state, (*start)->runtime};
    touched = false;
    result.states[after.value] = memory.state;
  }
  result.first_state = memory.state;
  worker.execute(RestoreCommand{load.handle, memory, UINT32_MAX});

  Router router;
  std::vector<Subscription> subscriptions;
  for (const SubscriptionSpec& spec : loaded.subscriptions) {
    subscriptions.push_back({0, spec.callback, spec.types,
                             Filter::parse(parse_json(spec.filter).value()).value(), false, name});
  }
  router.build(std::move(subscriptions));
  Routed routed;
  for (const auto& input : all_batches()) {
    const BatchHeader& header = input->batch.header;
    if (header.last() <= after || header.first > until) continue;
    const BatchView view = BatchView::trusted(header, input->batch.body);
    // Row by row, so that every judgement is seen.
    for (std::uint32_t row = 0; row < view.count(); ++row) {
      const Sequence sequence = view.sequence(row);
      if (sequence <= after || sequence > until) continue;
      const auto is_paused = [sequence](const Pause& pause) {
        return pause.from <= sequence && (!pause.until || sequence < *pause.until);
      };
      const bool begins = std::ranges::find(pauses, sequence, &Pause::from) != pauses.end();
      if (begins) {
        touched = false;
        const auto judged = std::get<Judged>(worker.execute(JudgeCommand{load.handle, true}));
        result.states[sequence.value - 1] = judged.memory.state;
      }
      if (std::ranges::any_of(pauses, is_paused)) continue;
      router.route(view, row, routed);
      TriggerFeed feed{load.handle, row, row + 1, {}, {}};
      for (const Match& match : routed.matches(0)) {
        if (match.row == row) feed.matches.push_back(match);
      }
      const auto reply = std::get<FeedReply>(worker.execute(FeedCommand{input, {feed}}));
      const TriggerProgress& progress = reply.triggers[0];
      HASTUR_CHECK(!progress.stopped, "the reference pass stopped");
      touched = progress.touched || (touched && result.states.empty() && !progress.judged);
      for (const Effect& effect : progress.effects) result.effects.push_back(effect);
      if (progress.judged) result.states[progress.judged->sequence.value] = progress.judged->state;
    }
  }
  result.end_state = std::get<Judged>(worker.execute(JudgeCommand{load.handle})).memory.state;
  return result;
}

std::vector<std::pair<RunRecord, Sequence>> World::runs_of(const TriggerName& name) {
  std::vector<std::pair<RunRecord, Sequence>> runs;
  const Run newest = store_->newest_run(name);
  for (Run run{1}; run <= newest; run = Run{run.value + 1}) {
    const auto record = store_->run(name, run);
    if (!record || !*record) continue;
    if (!runs.empty()) runs.back().second = std::min(runs.back().second, (*record)->after);
    Sequence until = history_->last();
    const auto journal = store_->journal(name, run);
    for (const JournalRecord& decision : *journal) {
      if (decision.decision == "forget") until = Sequence{decision.sequence.value - 1};
    }
    runs.emplace_back(**record, until);
  }
  return runs;
}

std::vector<Effect> World::effects_of(const TriggerName& name) {
  std::vector<Effect> all;
  for (const auto& [run, until] : runs_of(name)) {
    std::ranges::copy(reference(name, run, until).effects, std::back_inserter(all));
  }
  return all;
}

std::string World::states_equal_one_pass() {
  if (!settled()) {
    std::string where;
    for (const auto& [name, trigger] : dispatcher_->triggers()) {
      where += fmt::format(" {}:{}@{}({})", name, static_cast<int>(trigger->phase),
                           trigger->cursor().value, trigger->unanswered());
      if (trigger->cursor() != dispatcher_->main_position()) {
        where += fmt::format("[dispatched {} yields {} catching up {}", trigger->dispatched().value,
                             trigger->yields(), trigger->catching_up);
        for (const Pause& pause : trigger->pauses())
          where +=
              fmt::format(" pause {}-{}", pause.from.value, pause.until ? pause.until->value : 0);
        where += "]";
      }
    }
    return fmt::format("seed {}: it did not come to rest: stage {}, main {}, last {}, outbox {};{}",
                       seed_, static_cast<int>(dispatcher_->stage()),
                       dispatcher_->main_position().value, history_->last().value,
                       store_->outbox_size(), where);
  }
  for (const auto& [name, trigger] : dispatcher_->triggers()) {
    const auto stored = store_->load(name);
    if (!stored || !*stored) return fmt::format("seed {}: {} is not in the store", seed_, name);
    const Reference& once = reference(name, (*stored)->run, trigger->cursor());
    if (trigger->counts.diverged > 0) return fmt::format("seed {}: {} diverged", seed_, name);
    const auto memory = trigger->memory();
    if (!memory) {
      if (!once.states.empty())
        return fmt::format("seed {}: {} was judged in one pass, and never here", seed_, name);
      continue;
    }
    const auto at = once.states.find(memory->sequence.value);
    if (at == once.states.end()) {
      return fmt::format("seed {}: {} was judged at {}, one pass was not", seed_, name,
                         memory->sequence.value);
    }
    if (at->second != memory->state) {
      return fmt::format("seed {}: {} at {} is {}, one pass gives {}", seed_, name,
                         memory->sequence.value, memory->state, at->second);
    }
    if (once.states.rbegin()->first != memory->sequence.value) {
      std::string decisions;
      if (const auto journal = store_->journal(name, (*stored)->run.run)) {
        for (const JournalRecord& record : *journal)
          decisions += fmt::format(" {}@{}", record.decision, record.sequence.value);
      }
      return fmt::format("seed {}: {} was last judged at {}, one pass at {}; it stands at {};{}",
                         seed_, name, memory->sequence.value, once.states.rbegin()->first,
                         trigger->cursor().value, decisions) +
             fmt::format(
                 " emitted through {}, unanswered {}, needs ticks {}, settled {}, stored {}/{}",
                 trigger->emitted_through().value, trigger->unanswered(), trigger->needs_ticks(),
                 trigger->safe_position(true).value, trigger->stored().state_sequence.value,
                 trigger->stored().effects_sequence.value);
    }
  }
  return "";
}

std::string World::derived_messages_stand_exactly_once() {
  std::map<TriggerName, std::vector<std::string>> stored;
  std::vector<Label> labels;
  for (const auto& input : all_batches()) {
    const BatchView view = BatchView::trusted(input->batch.header, input->batch.body);
    for (std::uint32_t row = 0; row < view.count(); ++row) {
      const MessageView message = view.message(row, labels);
      if (!message.origin) continue;
      ++seen_.derived;
      stored[std::string(message.origin->trigger)].push_back(
          fmt::format("{}/{} {}={}", message.origin->sequence.value, message.origin->ordinal,
                      *message.name, message.value.number));
    }
  }
  for (const TriggerName& name : names_) {
    std::vector<std::string> wanted;
    for (const Effect& effect : effects_of(name)) {
      if (effect.kind != EffectKind::message) continue;
      const Json json = parse_json(effect.payload).value();
      wanted.push_back(fmt::format("{}/{} {}={}", effect.sequence.value, effect.ordinal,
                                   json["name"].get<std::string>(), json["value"].get<double>()));
    }
    if (wanted != stored[name]) {
      const auto [a, b] = std::ranges::mismatch(wanted, stored[name]);
      return fmt::format(
          "seed {}: {} derived {} messages, one pass {}; first difference: {} against {}", seed_,
          name, stored[name].size(), wanted.size(), b == stored[name].end() ? "nothing" : *b,
          a == wanted.end() ? "nothing" : *a);
    }
  }
  return "";
}

std::string World::notifications_stand_exactly_once() {
  for (const TriggerName& name : names_) {
    CheckpointStore::NotificationQuery query;
    query.trigger = name;
    query.max = 1'000'000;
    std::vector<std::string> stored;
    std::uint64_t in_digests = 0;
    const auto records = store_->notifications(query);
    for (const NotificationRecord& notification : records.value()) {
      const auto payload = parse_json(notification.payload);
      if (notification.status == NotificationStatus::pending)
        return fmt::format("seed {}: {} has caught up, and n-{:x} still waits for that", seed_,
                           name, notification.id);
      if (payload && payload->contains("details") && (*payload)["details"].contains("late")) {
        ++seen_.digests;
        continue;
      }
      if (notification.reason == "it is told in a digest") ++in_digests;
      if (payload && (*payload)["kind"] == "platform") continue;
      ++seen_.notifications;
      stored.push_back(fmt::format("{}/{} {}", notification.sequence.value, notification.ordinal,
                                   notification.payload));
    }
    std::vector<std::string> wanted;
    for (const Effect& effect : effects_of(name)) {
      if (effect.kind != EffectKind::notification) continue;
      wanted.push_back(
          fmt::format("{}/{} {}", effect.sequence.value, effect.ordinal, effect.payload));
    }
    seen_.late += in_digests;
    if (wanted != stored) {
      return fmt::format("seed {}: {} recorded {} notifications, one pass {}", seed_, name,
                         stored.size(), wanted.size());
    }
  }
  return "";
}

std::string World::no_number_was_used_twice() {
  if (!reused_.empty()) return fmt::format("seed {}: {}", seed_, reused_);
  std::map<std::uint64_t, std::uint64_t> kept;
  std::vector<Label> labels;
  for (const auto& input : all_batches()) {
    const BatchView view = BatchView::trusted(input->batch.header, input->batch.body);
    for (std::uint32_t row = 0; row < view.count(); ++row) {
      const auto [found, added] =
          kept.emplace(view.sequence(row).value, message_hash(view.message(row, labels)));
      if (!added)
        return fmt::format("seed {}: History holds sequence {} twice", seed_, found->first);
    }
  }
  const auto lost = history_->lost(Sequence{1}, history_->last());
  if (!lost) return lost.error().message;
  seen_.lost_ranges = lost->size();
  for (const auto& [sequence, hash] : published_hashes_) {
    const auto found = kept.find(sequence);
    if (found != kept.end()) {
      if (found->second != hash)
        return fmt::format("seed {}: sequence {} holds another message than was published", seed_,
                           sequence);
      continue;
    }
    const bool known = std::ranges::any_of(*lost, [&](const LostRange& range) {
      return range.first.value <= sequence && sequence <= range.last.value;
    });
    if (!known)
      return fmt::format("seed {}: sequence {} was published, is gone, and is in no lost range",
                         seed_, sequence);
  }
  return "";
}

std::string World::every_datagram_stands_once() {
  const auto counters = history_->counters();
  std::uint64_t stands = 0;
  std::vector<Label> labels;
  for (const auto& input : all_batches()) {
    const BatchView view = BatchView::trusted(input->batch.header, input->batch.body);
    for (std::uint32_t row = 0; row < view.count(); ++row) {
      const MessageView message = view.message(row, labels);
      if (message.origin || message.type == MessageType::tick) continue;
      if (message.uuid == host_uuid || message.type == MessageType::error) ++stands;
    }
  }
  const auto received = counters.find("received");
  const std::uint64_t counted = received == counters.end() ? 0 : received->second;
  if (stands != counted) {
    return fmt::format("seed {}: {} datagrams are counted as received, History holds {}", seed_,
                       counted, stands);
  }
  return "";
}

}  // namespace hastur::test
