#include "state/notification_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {
namespace {

std::optional<Time> time_or_null(const Query& query, int column) {
  if (query.is_null(column)) return std::nullopt;
  return time_from_us(query.integer(column));
}
std::optional<std::int64_t> us_or_null(const std::optional<Time>& time) {
  if (!time) return std::nullopt;
  return to_us(*time);
}

// Every statement that reads notifications has these columns, in this order.
#define HASTUR_NOTIFICATION_COLUMNS                                                      \
  "SELECT id, trigger.name, notification.run, sequence, ordinal, time, status, reason, " \
  "payload, channel, key, action, sent_at, progress "
#define HASTUR_INCIDENT_COLUMNS                                                             \
  "SELECT incident.number, trigger.name, channel, key, state, opened, changed, last_sent, " \
  "told_open, newest_trigger, newest FROM incident "

NotificationRecord notification_at(const Query& row) {
  return {.id = row.unsigned_integer(0),
          .trigger = std::string(row.text(1)),
          .run = {row.unsigned_integer(2)},
          .sequence = {row.unsigned_integer(3)},
          .ordinal = static_cast<std::uint32_t>(row.integer(4)),
          .time = time_from_us(row.integer(5)),
          .payload = std::string(row.text(8)),
          .status = status_from_name(row.text(6)).value_or(NotificationStatus::closed),
          .reason = std::string(row.text(7)),
          .channel = std::string(row.text(9)),
          .key = std::string(row.text(10)),
          .action = action_from_name(row.text(11)).value_or(NotificationAction::trigger),
          .sent_at = time_or_null(row, 12),
          .progress = std::string(row.text(13))};
}

Incident incident_at(const Query& row) {
  return {.number = row.unsigned_integer(0),
          .trigger = std::string(row.text(1)),
          .channel = std::string(row.text(2)),
          .key = std::string(row.text(3)),
          .state = incident_state_from_name(row.text(4)).value_or(IncidentState::closed),
          .opened = time_from_us(row.integer(5)),
          .changed = time_from_us(row.integer(6)),
          .last_sent = time_or_null(row, 7),
          .told_open = row.integer(8) != 0,
          .newest_trigger = row.unsigned_integer(9),
          .newest = row.unsigned_integer(10)};
}

}  // namespace

Result<std::uint64_t> NotificationTable::insert(const NotificationRecord& record,
                                                std::uint64_t trigger) {
  NotificationRecord stored = record;
  {
    Query query = database_.query(
        "INSERT INTO notification(trigger, run, sequence, ordinal, time, status, reason, payload, "
        "channel, key, action, sent_at, progress) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id",
        trigger, record.run.value, record.sequence.value, record.ordinal, to_us(record.time),
        status_name(record.status), record.reason, record.payload, record.channel, record.key,
        action_name(record.action), us_or_null(record.sent_at), record.progress);
    const auto row = query.step();
    if (!row) return fail(row.error());
    stored.id = query.unsigned_integer(0);
  }
  if (record.key.empty()) return stored.id;
  auto before = incident(trigger, record.channel, record.key);
  if (!before) return fail(before.error());
  // Nobody has heard of it: there is nothing to acknowledge or to resolve.
  if (!*before && record.action != NotificationAction::trigger) return stored.id;
  Incident now = *before ? **std::move(before) : Incident{};
  now.channel = record.channel;
  now.key = record.key;
  follow(now, stored);
  HASTUR_TRY(put(now, trigger));
  return stored.id;
}

Result<void> NotificationTable::change(const NotificationChange& change) {
  const std::uint64_t id[] = {change.id};
  const auto found = of_ids(id);
  if (!found) return fail(found.error());
  if (found->empty()) return {};
  const NotificationRecord& before = found->front();
  HASTUR_TRY(
      database_.run("UPDATE notification SET status = ?2, reason = ?3, sent_at = ?4, "
                    "progress = coalesce(?5, progress) WHERE id = ?1",
                    change.id, status_name(change.status), change.reason,
                    us_or_null(change.sent_at), change.progress));
  if (before.key.empty()) return {};
  Query query = database_.query("SELECT trigger FROM notification WHERE id = ?1", change.id);
  const auto row = query.step();
  if (!row) return fail(row.error());
  const std::uint64_t trigger = query.unsigned_integer(0);
  auto incident = this->incident(trigger, before.channel, before.key);
  if (!incident) return fail(incident.error());
  if (!*incident) return {};
  follow(**incident, before, change);
  return put(**incident, trigger);
}

Result<void> NotificationTable::put(const Incident& incident, std::uint64_t trigger) {
  return database_.run(
      "INSERT INTO incident(trigger, channel, key, state, opened, changed, last_sent, told_open, "
      "newest_trigger, newest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
      "ON CONFLICT(trigger, channel, key) DO UPDATE SET state = excluded.state, "
      "opened = excluded.opened, changed = excluded.changed, last_sent = excluded.last_sent, "
      "told_open = excluded.told_open, newest_trigger = excluded.newest_trigger, "
      "newest = excluded.newest",
      trigger, incident.channel, incident.key, incident_state_name(incident.state),
      to_us(incident.opened), to_us(incident.changed), us_or_null(incident.last_sent),
      incident.told_open, incident.newest_trigger, incident.newest);
}

Result<std::vector<NotificationRecord>> NotificationTable::find(
    const CheckpointStore::NotificationQuery& query, std::optional<std::uint64_t> trigger) {
  // Literals of their own, so that each has the plan that suits it: candidates come from an index.
#define HASTUR_PLANS(order)                                                                      \
  {                                                                                              \
    HASTUR_NOTIFICATION_COLUMNS                                                                  \
    "FROM notification CROSS JOIN trigger ON trigger.number = notification.trigger "             \
    "WHERE id > ?1 AND (?2 IS NULL OR notification.trigger = ?2) "                               \
    "AND (?3 IS NULL OR status = ?3) AND ?4 IS NULL AND id < ?6 ORDER BY id " order " LIMIT ?5", \
        HASTUR_NOTIFICATION_COLUMNS                                                              \
        "FROM notification INDEXED BY notification_trigger "                                     \
        "CROSS JOIN trigger ON trigger.number = notification.trigger "                           \
        "WHERE notification.trigger = ?2 AND id > ?1 AND (?3 IS NULL OR status = ?3) "           \
        "AND (?4 IS NULL OR time >= ?4) AND id < ?6 ORDER BY id " order " LIMIT ?5",             \
        HASTUR_NOTIFICATION_COLUMNS                                                              \
        "FROM notification CROSS JOIN trigger ON trigger.number = notification.trigger "         \
        "WHERE id IN (SELECT id FROM notification WHERE time >= ?4 AND id > ?1) "                \
        "AND (?2 IS NULL OR notification.trigger = ?2) AND (?3 IS NULL OR status = ?3) "         \
        "AND id < ?6 ORDER BY id " order " LIMIT ?5",                                            \
        HASTUR_NOTIFICATION_COLUMNS                                                              \
        "FROM notification INDEXED BY notification_open "                                        \
        "CROSS JOIN trigger ON trigger.number = notification.trigger "                           \
        "WHERE status IN ('waiting', 'pending') AND status = ?3 AND id > ?1 "                    \
        "AND (?2 IS NULL OR notification.trigger = ?2) AND (?4 IS NULL OR time >= ?4) "          \
        "AND id < ?6 ORDER BY id " order " LIMIT ?5"                                             \
  }
  struct Plans {
    std::string_view by_id, by_trigger, by_time, undecided;
  };
  constexpr Plans rising = HASTUR_PLANS("");
  constexpr Plans falling = HASTUR_PLANS("DESC");
#undef HASTUR_PLANS
  const Plans& plans = query.newest_first ? falling : rising;
  const bool is_undecided =
      query.status == NotificationStatus::waiting || query.status == NotificationStatus::pending;
  const std::string_view sql = is_undecided  ? plans.undecided
                               : trigger     ? plans.by_trigger
                               : query.since ? plans.by_time
                                             : plans.by_id;
  constexpr auto id_max = std::uint64_t{INT64_MAX};
  const std::uint64_t below = query.before_id == 0 ? id_max : std::min(query.before_id, id_max);
  std::optional<std::string_view> status;
  if (query.status) status = status_name(*query.status);
  std::vector<NotificationRecord> found;
  Query rows = database_.query(sql, query.after_id, trigger, status, us_or_null(query.since),
                               query.max, below);
  while (true) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back(notification_at(rows));
  }
}

Result<std::vector<NotificationRecord>> NotificationTable::of_ids(
    std::span<const std::uint64_t> ids) {
  std::vector<NotificationRecord> found;
  for (const std::uint64_t id : ids) {
    Query row = database_.query(HASTUR_NOTIFICATION_COLUMNS
                                "FROM notification "
                                "JOIN trigger ON trigger.number = notification.trigger "
                                "WHERE id = ?1",
                                id);
    const auto there = row.step();
    if (!there) return fail(there.error());
    if (*there) found.push_back(notification_at(row));
  }
  return found;
}

Result<std::vector<Incident>> NotificationTable::incidents(
    const CheckpointStore::IncidentQuery& query, std::optional<std::uint64_t> trigger) {
  Query rows =
      database_.query(HASTUR_INCIDENT_COLUMNS
                      "JOIN trigger ON trigger.number = incident.trigger "
                      "WHERE incident.number > ?1 AND (?2 IS NULL OR incident.trigger = ?2) "
                      "AND (?3 OR state <> 'closed') "
                      "AND (NOT ?5 OR (state = 'closed') = told_open) "
                      "ORDER BY incident.number LIMIT ?4",
                      query.after_number, trigger, query.closed_too, query.max, query.mistold);
  std::vector<Incident> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back(incident_at(rows));
  }
}

Result<std::optional<Incident>> NotificationTable::incident(std::uint64_t trigger,
                                                            std::string_view channel,
                                                            std::string_view key) {
  Query row = database_.query(HASTUR_INCIDENT_COLUMNS
                              "JOIN trigger ON trigger.number = incident.trigger "
                              "WHERE incident.trigger = ?1 AND channel = ?2 AND key = ?3",
                              trigger, channel, key);
  const auto there = row.step();
  if (!there) return fail(there.error());
  if (!*there) return std::optional<Incident>();
  return std::optional(incident_at(row));
}

Result<std::uint64_t> NotificationTable::put(const NotifyOrder& order) {
  if (order.number != 0) {
    HASTUR_TRY(database_.run("UPDATE notify_order SET ended = ?2, end_why = ?3 WHERE number = ?1",
                             order.number, us_or_null(order.ended), order.end_why));
    return order.number;
  }
  Query query = database_.query(
      "INSERT INTO notify_order(scope, name, key, mode, since, until, why, ended, end_why) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING number",
      order_scope_name(order.scope), order.name, order.key, notify_mode_name(order.mode),
      to_us(order.since), us_or_null(order.until), order.why, us_or_null(order.ended),
      order.end_why);
  const auto row = query.step();
  if (!row) return fail(row.error());
  return query.unsigned_integer(0);
}

Result<void> NotificationTable::put(const ReceiverRest& rest) {
  if (rest.over) return database_.run("DELETE FROM receiver_rest WHERE name = ?1", rest.name);
  return database_.run("INSERT OR REPLACE INTO receiver_rest VALUES (?1, ?2, ?3)", rest.name,
                       rest.failures, to_us(rest.until));
}

Result<std::vector<ReceiverRest>> NotificationTable::receiver_rests() {
  Query rows = database_.query("SELECT name, failures, until FROM receiver_rest ORDER BY name");
  std::vector<ReceiverRest> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back({.name = std::string(rows.text(0)),
                     .failures = static_cast<std::uint32_t>(rows.integer(1)),
                     .until = time_from_us(rows.integer(2))});
  }
}

Result<std::vector<NotifyOrder>> NotificationTable::orders(
    const CheckpointStore::OrderQuery& query) {
  Query rows = database_.query(
      "SELECT number, scope, name, key, mode, since, until, why, ended, end_why FROM notify_order "
      "WHERE number > ?1 AND (?2 OR ended IS NULL) ORDER BY number LIMIT ?3",
      query.after_number, query.ended_too, query.max);
  std::vector<NotifyOrder> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back({.number = rows.unsigned_integer(0),
                     .scope = order_scope_from_name(rows.text(1)).value_or(OrderScope::supervisor),
                     .name = std::string(rows.text(2)),
                     .key = std::string(rows.text(3)),
                     .mode = notify_mode_from_name(rows.text(4)).value_or(NotifyMode::record),
                     .since = time_from_us(rows.integer(5)),
                     .until = time_or_null(rows, 6),
                     .why = std::string(rows.text(7)),
                     .ended = time_or_null(rows, 8),
                     .end_why = std::string(rows.text(9))});
  }
}

}  // namespace hastur
