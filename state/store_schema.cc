#include "state/store_schema.h"

#include <fmt/format.h>

#include "core/random.h"

namespace hastur {
namespace {

constexpr std::int64_t application_id = 0x48737453;  // "HstS"
constexpr std::int64_t schema_version = 1;
// Three states of 2 KiB in a page, where 4096 holds one: a commit of 100 takes two thirds of the
// time.
constexpr std::uint32_t page_bytes = 8'192;

constexpr const char* tables = R"sql(
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

Result<std::int64_t> number_of(Database& database, std::string_view sql) {
  Query query = database.query(sql);
  const auto row = query.step();
  if (!row) return fail(row.error());
  return *row ? query.integer(0) : 0;
}

Result<void> make_tables(Database& database) {
  HASTUR_TRY(database.set_synced(true));
  Transaction transaction(database);
  HASTUR_TRY(transaction.begin());
  HASTUR_TRY(database.run_script(tables));
  const std::string owner = OwnerId{random_bytes16()}.to_string();
  HASTUR_TRY(database.run("INSERT INTO meta VALUES (1, ?1, NULL, 0, 0)", owner));
  HASTUR_TRY(database.run_script(fmt::format("PRAGMA application_id={}; PRAGMA user_version={};",
                                             application_id, schema_version)));
  return transaction.commit();
}

}  // namespace

Result<Database> open_state_file(const SqliteStoreOptions& options) {
  auto database = Database::open({.path = options.path,
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

  if (*application == 0 && *version == 0 && *objects == 0) {
    HASTUR_TRY(make_tables(*database));
    HASTUR_TRY(database->set_synced(options.synced));
    return database;
  }
  if (*application != application_id) {
    return fail(
        ErrorCode::invalid,
        fmt::format("cannot use {}: it is an SQLite file of something else; name another file",
                    options.path));
  }
  if (*version != schema_version) {
    return fail(
        ErrorCode::invalid,
        fmt::format(
            "cannot use {}: its schema is {}, this program knows {}; start the program that "
            "wrote it, or name another file",
            options.path, *version, schema_version));
  }
  return database;
}

}  // namespace hastur
