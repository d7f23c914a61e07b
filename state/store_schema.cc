#include "state/store_schema.h"

#include <fmt/format.h>

#include <array>

#include "core/log.h"
#include "core/random.h"

namespace hastur {
namespace {

constexpr std::int64_t application_id = 0x48737453;  // "HstS"
// Three states of 2 KiB in a page, where 4096 holds one: a commit of 100 takes two thirds of the
// time.
constexpr std::uint32_t page_bytes = 8'192;

// Schema 1, as the first release made it. What has been released is never changed: a new file goes
// through the same steps as an old one.
constexpr const char* first_tables = R"sql(
CREATE TABLE meta(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  owner TEXT NOT NULL,
  stream TEXT,
  epoch INTEGER NOT NULL,
  position INTEGER NOT NULL) STRICT;

CREATE TABLE trigger(
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  run INTEGER NOT NULL,
  live INTEGER NOT NULL) STRICT;

CREATE TABLE version(
  id TEXT PRIMARY KEY,
  trigger TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE source(
  number INTEGER PRIMARY KEY,
  hash INTEGER NOT NULL,
  text TEXT NOT NULL) STRICT;
CREATE INDEX source_hash ON source(hash);
CREATE TABLE version_file(
  version TEXT NOT NULL,
  place INTEGER NOT NULL,
  path TEXT NOT NULL,
  source INTEGER NOT NULL,
  PRIMARY KEY (version, place)) STRICT, WITHOUT ROWID;
CREATE INDEX version_file_source ON version_file(source);

CREATE TABLE run(
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  version TEXT NOT NULL,
  limits TEXT NOT NULL,
  runtime TEXT NOT NULL,
  why TEXT NOT NULL,
  after INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended INTEGER,
  PRIMARY KEY (trigger, run)) STRICT, WITHOUT ROWID;
CREATE INDEX run_version ON run(version);

CREATE TABLE checkpoint(
  trigger INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  state_sequence INTEGER NOT NULL,
  state_time INTEGER NOT NULL,
  effects_sequence INTEGER NOT NULL,
  effects_hash INTEGER NOT NULL) STRICT;
CREATE TABLE memory(
  trigger INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  runtime TEXT NOT NULL) STRICT;

CREATE TABLE outbox(
  id INTEGER PRIMARY KEY,
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  payload TEXT NOT NULL) STRICT;

CREATE TABLE notification(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  time INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  payload TEXT NOT NULL) STRICT;
CREATE INDEX notification_trigger ON notification(trigger);
CREATE INDEX notification_time ON notification(time);
CREATE INDEX notification_open ON notification(status) WHERE status IN ('waiting', 'pending');

CREATE TABLE log(
  trigger INTEGER NOT NULL,
  number INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  script TEXT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (trigger, number)) STRICT, WITHOUT ROWID;

CREATE TABLE journal(
  number INTEGER PRIMARY KEY,
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  decision TEXT NOT NULL,
  detail TEXT NOT NULL,
  decided_at INTEGER NOT NULL) STRICT;
CREATE INDEX journal_sequence ON journal(trigger, run, sequence);
CREATE INDEX journal_pause ON journal(trigger, run) WHERE decision IN ('pause', 'resume');
)sql";

// Snapshots and incidents; notifications say where they go. Schema 1 sent nothing: its incidents
// follow from its rows, and nobody was told of them.
constexpr const char* snapshots_and_incidents = R"sql(
CREATE TABLE snapshot(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  why TEXT NOT NULL,
  state TEXT NOT NULL,
  runtime TEXT NOT NULL) STRICT;
CREATE INDEX snapshot_time ON snapshot(trigger, time);

CREATE TABLE incident(
  number INTEGER PRIMARY KEY,
  trigger INTEGER NOT NULL,
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  state TEXT NOT NULL,
  opened INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  last_sent INTEGER,
  told_open INTEGER NOT NULL,
  newest_trigger INTEGER NOT NULL,
  newest INTEGER NOT NULL,
  UNIQUE (trigger, channel, key)) STRICT;
CREATE INDEX incident_open ON incident(trigger) WHERE state <> 'closed';

ALTER TABLE notification ADD COLUMN channel TEXT NOT NULL DEFAULT '';
ALTER TABLE notification ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE notification ADD COLUMN action TEXT NOT NULL DEFAULT 'trigger';
ALTER TABLE notification ADD COLUMN sent_at INTEGER;
UPDATE notification SET
  channel = coalesce(
    CASE json_type(payload, '$.to') WHEN 'text' THEN nullif(payload ->> '$.to', '') END,
    CASE json_type(payload, '$.options.to') WHEN 'text' THEN nullif(payload ->> '$.options.to', '') END,
    CASE json_type(payload, '$.kind') WHEN 'text' THEN payload ->> '$.kind' END, ''),
  key = coalesce(CASE json_type(payload, '$.key') WHEN 'text' THEN payload ->> '$.key' END, ''),
  action = CASE WHEN payload ->> '$.options.action' IN ('trigger', 'acknowledge', 'resolve')
    THEN payload ->> '$.options.action' ELSE 'trigger' END
WHERE json_valid(payload);

INSERT INTO incident(trigger, channel, key, state, opened, changed, last_sent, told_open,
  newest_trigger, newest)
SELECT trigger, channel, key,
  CASE WHEN opened_by IS NULL THEN 'closed' WHEN acknowledged THEN 'acknowledged' ELSE 'open' END,
  coalesce((SELECT time FROM notification WHERE id = opened_by), time), time, NULL, 0,
  newest_trigger, newest
FROM (
  SELECT all_of.*, (SELECT time FROM notification WHERE id = newest) AS time,
    (SELECT min(id) FROM notification AS n WHERE n.trigger = all_of.trigger AND
      n.channel = all_of.channel AND n.key = all_of.key AND n.action = 'trigger' AND
      n.id > last_resolve) AS opened_by,
    last_acknowledge > newest_trigger AS acknowledged
  FROM (
    SELECT trigger, channel, key, max(id) AS newest,
      max(iif(action = 'trigger', id, 0)) AS newest_trigger,
      max(iif(action = 'acknowledge', id, 0)) AS last_acknowledge,
      max(iif(action = 'resolve', id, 0)) AS last_resolve
    FROM notification WHERE key <> '' GROUP BY trigger, channel, key) AS all_of)
WHERE newest_trigger > 0;
)sql";

constexpr const char* notify_orders = R"sql(
CREATE TABLE notify_order(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  mode TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  why TEXT NOT NULL,
  ended INTEGER,
  end_why TEXT NOT NULL) STRICT;
CREATE INDEX notify_order_open ON notify_order(number) WHERE ended IS NULL;
)sql";

// Triggers stand by name: some of a deployment have never run.
constexpr const char* deployments_and_pins = R"sql(
CREATE TABLE deployment(
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  author TEXT NOT NULL,
  subject TEXT NOT NULL,
  report TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  sequence INTEGER) STRICT;
CREATE TABLE deployment_change(
  deployment INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  before TEXT NOT NULL,
  version TEXT NOT NULL,
  run_before INTEGER NOT NULL,
  run INTEGER NOT NULL,
  why TEXT NOT NULL,
  was TEXT NOT NULL,
  snapshot INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (deployment, trigger)) STRICT, WITHOUT ROWID;
CREATE INDEX deployment_change_trigger ON deployment_change(trigger, deployment);
CREATE TABLE pin(
  trigger TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  file TEXT NOT NULL,
  deployment INTEGER NOT NULL,
  why TEXT NOT NULL,
  since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* replays_of_rollbacks = R"sql(
ALTER TABLE deployment ADD COLUMN replay TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* receivers = R"sql(
ALTER TABLE notification ADD COLUMN progress TEXT NOT NULL DEFAULT '';
CREATE TABLE receiver_rest(
  name TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// What takes a file from schema N to N + 1, from 0 on.
constexpr std::array steps = {first_tables,         snapshots_and_incidents, notify_orders,
                              deployments_and_pins, replays_of_rollbacks,    receivers};
constexpr auto schema_version = static_cast<std::int64_t>(steps.size());

Result<std::int64_t> number_of(Database& database, std::string_view sql) {
  Query query = database.query(sql);
  const auto row = query.step();
  if (!row) return fail(row.error());
  return *row ? query.integer(0) : 0;
}

// One transaction, on the disk when it returns: the file is of the old schema or of the new one.
Result<void> migrate(Database& database, std::int64_t from) {
  HASTUR_TRY(database.set_synced(true));
  Transaction transaction(database);
  HASTUR_TRY(transaction.begin());
  for (std::int64_t at = from; at < schema_version; ++at) {
    HASTUR_TRY(database.run_script(steps[static_cast<std::size_t>(at)]));
    if (at > 0) continue;
    const std::string owner = OwnerId{random_bytes16()}.to_string();
    HASTUR_TRY(database.run("INSERT INTO meta VALUES (1, ?1, NULL, 0, 0)", owner));
  }
  HASTUR_TRY(database.run_script(fmt::format("PRAGMA application_id={}; PRAGMA user_version={};",
                                             application_id, schema_version)));
  return transaction.commit();
}

}  // namespace

Result<Database> open_state_file(const SqliteStoreOptions& options) {
  const auto access =
      options.read_only ? DatabaseOptions::Access::read_only : DatabaseOptions::Access::create;
  auto database = Database::open({.path = options.path,
                                  .access = access,
                                  .synced = options.synced,
                                  .page_bytes = page_bytes,
                                  .vfs = options.vfs});
  if (!database) return fail(database.error());
  const auto application = number_of(*database, "PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = number_of(*database, "PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto objects = number_of(*database, "SELECT count(*) FROM sqlite_schema");
  if (!objects) return fail(objects.error());

  const bool is_new = *application == 0 && *version == 0 && *objects == 0;
  if (!is_new && (*application != application_id || *version < 1)) {
    return fail(
        ErrorCode::invalid,
        fmt::format("cannot use {}: it is an SQLite file of something else; name another file",
                    options.path));
  }
  if (*version > schema_version) {
    return fail(ErrorCode::invalid,
                fmt::format("cannot use {}: its schema is {}, this program knows those up to {}; "
                            "start the newer program that wrote it, or name another file",
                            options.path, *version, schema_version));
  }
  if (*version < schema_version && options.read_only) {
    return fail(ErrorCode::invalid,
                fmt::format("cannot read {}: its schema is {}, this program reads {}; start the "
                            "supervisor once, which brings it there",
                            options.path, *version, schema_version));
  }
  if (*version < schema_version) {
    if (auto migrated = migrate(*database, *version); !migrated) {
      if (is_new) return fail(migrated.error());
      return fail(migrated.error().code,
                  fmt::format("cannot bring {} from schema {} to {}, it is left as it was: {}",
                              options.path, *version, schema_version, migrated.error().message));
    }
    if (!is_new)
      log_info("{} is brought from schema {} to {}", options.path, *version, schema_version);
    HASTUR_TRY(database->set_synced(options.synced));
  }
  return database;
}

}  // namespace hastur
