#include "supervisor/notify/delivery.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.h"
#include "supervisor/notify/mail_progress.h"

namespace hastur {
namespace {

constexpr std::uint32_t page = 1'000;
// What is read back is given this long even if it is older than its channel's expiry.
constexpr Micros after_start_min = std::chrono::minutes{10};

// Calls `take` with each waiting one from `id` on, in order, until it returns false.
template <class Take>
Result<void> each_waiting(CheckpointStore& store, std::uint64_t id, const Take& take) {
  CheckpointStore::NotificationQuery query;
  query.status = NotificationStatus::waiting;
  query.after_id = id - 1;
  query.max = page;
  while (true) {
    auto found = store.notifications(query);
    if (!found) return fail(found.error());
    for (NotificationRecord& record : *found) {
      query.after_id = record.id;
      if (!take(record)) return {};
    }
    if (found->size() < query.max) return {};
  }
}

// What somebody has was sent, whatever keeps it from the others.
void count_reached(const NotificationRecord& record, Time now, NotificationChange& change) {
  if (change.status != NotificationStatus::closed ||
      read_mail_progress(record.progress).have.empty())
    return;
  change.status = NotificationStatus::sent;
  change.sent_at = now;
  change.reason = "not everybody has it: " + change.reason;
}

}  // namespace

Delivery::Delivery(CheckpointStore& store, Clock& clock, NotificationSink& sink,
                   const NotifyPolicy& policy, const std::map<std::string, Channel>& channels,
                   const Options& options)
    : store_(store),
      clock_(clock),
      sink_(sink),
      policy_(policy),
      channels_(channels),
      options_(options),
      started_(clock.now()) {}

Result<void> Delivery::start() {
  HASTUR_TRY(review());
  HASTUR_TRY(restore_rests());
  HASTUR_TRY(restore_firing());
  for (const auto& [name, channel] : channels_) sink_.more_from(name, 1);
  return {};
}

// What waited when the last process ended is looked at anew: channels and modes may be others, and
// much time may have passed.
Result<void> Delivery::review() {
  std::size_t count = 0;
  HASTUR_TRY(each_waiting(store_, 1, [&](const NotificationRecord& record) {
    ++count;
    if (auto change = change_at_start(record)) changes_[record.id] = std::move(*change);
    return true;
  }));
  if (count > 0) {
    log_info("{} notifications were waiting to be sent{}", count,
             changes_.empty() ? ""
                              : fmt::format("; {} of them are closed, recorded or wait for "
                                            "their trigger to catch up",
                                            changes_.size()));
  }
  return store_changes();
}

std::optional<NotificationChange> Delivery::change_at_start(NotificationRecord record) const {
  policy_.decide_again(record);
  if (record.status != NotificationStatus::waiting)
    return NotificationChange{record.id, record.status, record.reason};
  if (!channels_.contains(record.channel)) {
    return NotificationChange{record.id, NotificationStatus::closed,
                              fmt::format("there is no channel {} any more", record.channel)};
  }
  if (!record.key.empty() && started_ - record.time > options_.late_after)
    return NotificationChange{record.id, NotificationStatus::pending, std::string(late_reason)};
  return std::nullopt;
}

Result<void> Delivery::restore_rests() {
  const auto rests = store_.receiver_rests();
  if (!rests) return fail(rests.error());
  for (const ReceiverRest& rest : *rests) sink_.restore_rest(rest);
  return {};
}

Result<void> Delivery::restore_firing() {
  CheckpointStore::IncidentQuery query;
  query.max = page;
  while (true) {
    const auto incidents = store_.incidents(query);
    if (!incidents) return fail(incidents.error());
    for (const Incident& incident : *incidents) {
      query.after_number = incident.number;
      const auto channel = channels_.find(incident.channel);
      if (!incident.last_sent || channel == channels_.end() ||
          !std::holds_alternative<AlertmanagerChannel>(channel->second.way)) {
        continue;
      }
      const std::uint64_t ids[] = {incident.newest_trigger};
      const auto records = store_.notifications_of(ids);
      if (!records) return fail(records.error());
      if (!records->empty() && records->front().status == NotificationStatus::sent)
        sink_.restore_firing(incident.channel, outgoing(records->front()));
    }
    if (incidents->size() < query.max) return {};
  }
}

void Delivery::stored(const std::vector<NotificationRecord>& records) {
  for (NotificationRecord record : records) {
    // An order may have come between its decision and its commit.
    policy_.decide_again(record);
    if (record.status != NotificationStatus::waiting) {
      changes_[record.id] = {record.id, record.status, record.reason};
      continue;
    }
    const auto channel = channels_.find(record.channel);
    if (channel == channels_.end()) {
      changes_[record.id] = {record.id, NotificationStatus::closed,
                             fmt::format("there is no channel {}", record.channel)};
      continue;
    }
    offer(record, opens_incident(record), clock_.now() + channel->second.expire_after);
  }
}

bool Delivery::offer(const NotificationRecord& record, bool opens, Time expires_at) {
  OutgoingNotification notification = outgoing(record);
  notification.opens = opens;
  notification.expires_at = expires_at;
  return sink_.offer(record.channel, std::move(notification));
}

OutgoingNotification Delivery::outgoing(const NotificationRecord& record) {
  const auto [version, first] = versions_.try_emplace({record.trigger, record.run});
  if (first) {
    if (const auto run = store_.run(record.trigger, record.run); run && *run)
      version->second = (*run)->version;
  }
  OutgoingNotification notification;
  notification.id = record.id;
  notification.trigger = record.trigger;
  notification.version = version->second;
  notification.sequence = record.sequence;
  notification.time = record.time;
  if (!record.key.empty()) notification.key = record.key;
  notification.action = record.action;
  notification.payload = record.payload;
  notification.progress = record.progress;
  notification.reached = !read_mail_progress(record.progress).have.empty();
  return notification;
}

// Only where it is sure: of several that ask for the same, each may be the first that arrives.
bool Delivery::opens_incident(const NotificationRecord& record) {
  if (record.key.empty() || record.action != NotificationAction::trigger) return false;
  const auto incident = store_.incident(record.trigger, record.channel, record.key);
  return incident && *incident && !(*incident)->last_sent &&
         (*incident)->newest_trigger == record.id && (*incident)->opened == record.time;
}

void Delivery::settled(const NotificationSettled& done) {
  to_withdraw_.erase(done.id);
  NotificationChange change{done.id, NotificationStatus::closed, done.text};
  change.progress = done.progress;
  if (done.settlement == Settlement::sent) {
    change.status = NotificationStatus::sent;
    change.sent_at = clock_.now();
    if (done.progress) log_warn("{} has not reached everybody: {}", short_id(done.id), done.text);
  } else if (done.settlement == Settlement::failed) {
    change.status = NotificationStatus::failed;
    log_warn("{} has failed: {}", short_id(done.id), done.text);
  }
  changes_[done.id] = std::move(change);
}

void Delivery::progressed(const NotificationProgress& progress) {
  auto [change, is_first] = changes_.try_emplace(progress.id);
  if (is_first) {
    change->second = {progress.id, NotificationStatus::waiting, progress.text};
    // What has been decided of it meanwhile stays.
    const std::uint64_t ids[] = {progress.id};
    const auto stored = store_.notifications_of(ids);
    if (stored && !stored->empty() && stored->front().status != NotificationStatus::waiting) {
      change->second.status = stored->front().status;
      change->second.reason = stored->front().reason;
    }
  }
  change->second.progress = progress.progress;
}

void Delivery::rests(const ReceiverRest& rest) { rests_[rest.name] = rest; }

Repeat Delivery::may_repeat(const std::string& channel, const OutgoingNotification& notification) {
  NotificationRecord record;
  record.trigger = notification.trigger;
  record.channel = channel;
  record.key = notification.key.value_or("");
  policy_.decide_again(record);
  if (record.status != NotificationStatus::waiting) return Repeat::later;
  const auto incident = store_.incident(record.trigger, channel, record.key);
  if (!incident) return Repeat::later;
  return *incident && (*incident)->state != IncidentState::closed ? Repeat::now : Repeat::never;
}

void Delivery::fetch(const FetchMore& more) {
  const auto read = offer_from(more.channel, more.from_id);
  if (read) return;
  log_error("what waits for channel {} cannot be read, trying again: {}", more.channel,
            read.error().message);
  fetch_again_[more.channel] = more.from_id;
}

Result<void> Delivery::offer_from(const std::string& channel, std::uint64_t id) {
  const Micros expire_after = channels_.at(channel).expire_after;
  return each_waiting(store_, id, [&](NotificationRecord& record) {
    // What has been settled since is no longer waiting, though the store does not know.
    const auto change = changes_.find(record.id);
    if (record.channel != channel ||
        (change != changes_.end() && change->second.status != NotificationStatus::waiting))
      return true;
    if (change != changes_.end() && change->second.progress)
      record.progress = *change->second.progress;
    return offer(record, false, std::max(record.time + expire_after, started_ + after_start_min));
  });
}

void Delivery::turn() {
  std::erase_if(to_withdraw_, [this](const auto& entry) {
    return !sink_.holds(entry.second, entry.first) || sink_.withdraw(entry.second, entry.first);
  });
  for (const auto& [channel, id] : std::exchange(fetch_again_, {})) sink_.more_from(channel, id);
  if (const auto done = store_changes(); !done && !std::exchange(storing_fails_, true))
    log_error("what became of notifications cannot be stored, trying again: {}",
              done.error().message);
}

Result<void> Delivery::store_changes() {
  if (changes_.empty() && rests_.empty()) return {};
  CommitBatch batch;
  for (const auto& [name, rest] : rests_) batch.receiver_rests.push_back(rest);
  for (const auto& [id, change] : changes_) batch.notification_changes.push_back(change);
  HASTUR_TRY(store_.commit(batch));
  changes_.clear();
  rests_.clear();
  storing_fails_ = false;
  return {};
}

// ---- what people do ----

Result<void> Delivery::channels_changed() {
  std::erase_if(fetch_again_, [this](const auto& each) { return !channels_.contains(each.first); });
  HASTUR_TRY(store_changes());
  HASTUR_TRY(each_waiting(store_, 1, [&](const NotificationRecord& record) {
    if (channels_.contains(record.channel)) return true;
    changes_[record.id] = {record.id, NotificationStatus::closed,
                           fmt::format("there is no channel {} any more", record.channel)};
    return true;
  }));
  return hold_back();
}

Result<void> Delivery::hold_back() {
  HASTUR_TRY(store_changes());
  HASTUR_TRY(each_waiting(store_, 1, [&](NotificationRecord& record) {
    policy_.decide_again(record);
    if (record.status == NotificationStatus::waiting) return true;
    // What is under way may still arrive; then that is what is stored.
    if (sink_.holds(record.channel, record.id) && !sink_.withdraw(record.channel, record.id))
      to_withdraw_[record.id] = record.channel;
    NotificationChange change{record.id, record.status, record.reason};
    count_reached(record, clock_.now(), change);
    changes_[record.id] = std::move(change);
    return true;
  }));
  return store_changes();
}

std::optional<NotificationChange> Delivery::after_hold(NotificationRecord record) {
  const std::string held = std::move(record.reason);
  policy_.decide_again(record);
  if (record.status == NotificationStatus::pending || record.status == NotificationStatus::recorded)
    return std::nullopt;
  NotificationChange change{record.id, record.status, record.reason};
  if (record.status != NotificationStatus::waiting) return change;
  change.status = NotificationStatus::closed;
  if (record.key.empty()) {
    change.reason = "it is of no incident, and was " + held;
    return change;
  }
  const auto incident = store_.incident(record.trigger, record.channel, record.key);
  if (!incident) return std::nullopt;
  if (*incident && still_speaks(**incident, record)) {
    change.status = NotificationStatus::waiting;
  } else if (*incident && (*incident)->state != IncidentState::closed) {
    change.reason =
        fmt::format("{} says the newer; it was {}", short_id((*incident)->newest), held);
  } else {
    change.reason = "its incident closed while it was " + held;
  }
  return change;
}

Result<void> Delivery::release_held() {
  CommitBatch batch;
  std::vector<std::uint64_t> out;
  CheckpointStore::NotificationQuery query;
  query.status = NotificationStatus::pending;
  query.max = page;
  while (true) {
    const auto found = store_.notifications(query);
    if (!found) return fail(found.error());
    for (const NotificationRecord& record : *found) {
      query.after_id = record.id;
      if (!record.reason.starts_with(held_reason)) continue;
      auto change = after_hold(record);
      if (!change) continue;
      count_reached(record, clock_.now(), *change);
      if (change->status == NotificationStatus::waiting) out.push_back(record.id);
      batch.notification_changes.push_back(std::move(*change));
    }
    if (found->size() < query.max) break;
  }
  if (batch.notification_changes.empty()) return {};
  log_info("{} notifications were held: {} go out, the others are closed",
           batch.notification_changes.size(), out.size());
  HASTUR_TRY(store_.commit(batch));
  return let_out(out);
}

Result<std::vector<Delivery::Untold>> Delivery::find_untold(std::size_t max) {
  std::vector<Untold> found;
  CheckpointStore::IncidentQuery query;
  query.closed_too = true;
  query.mistold = true;
  query.max = page;
  while (found.size() < max) {
    const auto incidents = store_.incidents(query);
    if (!incidents) return fail(incidents.error());
    for (const Incident& incident : *incidents) {
      query.after_number = incident.number;
      // Of an open one the newest `trigger` was not sent and will not be; of a closed one the
      // resolve.
      const bool is_closed = incident.state == IncidentState::closed;
      const std::uint64_t ids[] = {is_closed ? incident.newest : incident.newest_trigger};
      auto records = store_.notifications_of(ids);
      if (!records) return fail(records.error());
      // One that is pending has its own time.
      if (!records->empty() && records->front().status != NotificationStatus::pending &&
          found.size() < max)
        found.push_back({incident, std::move(records->front())});
    }
    if (incidents->size() < query.max) break;
  }
  return found;
}

Result<std::vector<Incident>> Delivery::untold(std::size_t max) {
  auto found = find_untold(max);
  if (!found) return fail(found.error());
  std::vector<Incident> incidents;
  for (Untold& each : *found) incidents.push_back(std::move(each.incident));
  return incidents;
}

Result<std::size_t> Delivery::release_untold() {
  constexpr std::size_t released_max = 10'000;
  auto found = find_untold(released_max);
  if (!found) return fail(found.error());
  CommitBatch batch;
  std::vector<std::uint64_t> out;
  for (auto& [incident, record] : *found) {
    if (!channels_.contains(record.channel)) continue;
    policy_.decide_again(record);
    if (record.status != NotificationStatus::waiting) continue;
    out.push_back(record.id);
    batch.notification_changes.push_back(
        {.id = record.id, .status = record.status, .progress = without_refused(record.progress)});
  }
  if (out.empty()) return std::size_t{0};
  HASTUR_TRY(store_.commit(batch));
  HASTUR_TRY(let_out(out));
  return out.size();
}

Result<void> Delivery::let_out(const std::vector<std::uint64_t>& ids) {
  const auto records = store_.notifications_of(ids);
  if (!records) return fail(records.error());
  stored(*records);
  return {};
}

Result<NotificationRecord> Delivery::find(std::uint64_t id) {
  HASTUR_TRY(store_changes());
  const std::uint64_t ids[] = {id};
  auto found = store_.notifications_of(ids);
  if (!found) return fail(found.error());
  if (found->empty())
    return fail(ErrorCode::not_found, fmt::format("there is no notification {}", short_id(id)));
  return std::move(found->front());
}

Result<void> Delivery::release(std::uint64_t id) {
  auto record = find(id);
  if (!record) return fail(record.error());
  if (record->status == NotificationStatus::waiting || record->status == NotificationStatus::sent) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is {} already", short_id(id), status_name(record->status)));
  }
  policy_.decide_again(*record);
  if (record->status != NotificationStatus::waiting) {
    return fail(ErrorCode::conflict,
                fmt::format("{} may not leave now: {}", short_id(id), record->reason));
  }
  if (!channels_.contains(record->channel)) {
    return fail(ErrorCode::conflict, fmt::format("{} has nowhere to go: there is no channel {}",
                                                 short_id(id), record->channel));
  }
  CommitBatch batch;
  batch.notification_changes.push_back({.id = id,
                                        .status = NotificationStatus::waiting,
                                        .progress = without_refused(record->progress)});
  HASTUR_TRY(store_.commit(batch));
  return let_out({id});
}

Result<void> Delivery::close(std::uint64_t id, const std::string& why) {
  const auto record = find(id);
  if (!record) return fail(record.error());
  if (record->status == NotificationStatus::sent || record->status == NotificationStatus::closed) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is {} already", short_id(id), status_name(record->status)));
  }
  if (sink_.holds(record->channel, id) && !sink_.withdraw(record->channel, id)) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is on its way just now; try again", short_id(id)));
  }
  NotificationChange change{id, NotificationStatus::closed, why};
  count_reached(*record, clock_.now(), change);
  CommitBatch batch;
  batch.notification_changes.push_back(std::move(change));
  return store_.commit(batch);
}

}  // namespace hastur
