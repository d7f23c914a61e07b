#include "state/sqlite/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

namespace hastur {
namespace {

ErrorCode code_of(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_FULL:
      return ErrorCode::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::failed;
  }
}

std::string remedy_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::full:
      return "; free space on its disk";
    case ErrorCode::corrupt:
      return "; move the file away or restore it from a copy";
    case ErrorCode::unavailable:
      return "; another process is using it";
    default:
      return "";
  }
}

// SQLite has no word of its own for a file that may grow no further.
bool has_file_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

Error error_of(sqlite3* connection, int sqlite_code, const std::string& path,
               std::string_view what) {
  const ErrorCode code = code_of(sqlite_code);
  std::string cause = sqlite3_errstr(sqlite_code);
  if (connection != nullptr && sqlite3_errcode(connection) == (sqlite_code & 0xFF)) {
    if (cause != sqlite3_errmsg(connection)) cause = sqlite3_errmsg(connection);
  }
  return {code, fmt::format("cannot {} {}: {} (SQLite {}){}", what, path, cause, sqlite_code,
                            sqlite_code == SQLITE_IOERR_WRITE && has_file_limit()
                                ? "; the limit of this process on the size of files may be reached "
                                  "(ulimit -f, LimitFSIZE)"
                                : remedy_of(code))};
}

const char* or_null(const std::string& name) { return name.empty() ? nullptr : name.c_str(); }

// A file that nobody can write now, as on a disk mounted read-only, and that has no log beside it.
// SQLite would want to make one, and shared memory, even to read.
bool is_at_rest(const std::string& path) {
  std::error_code ignored;
  const auto folder = std::filesystem::path(path).parent_path();
  const bool writable =
      faccessat(AT_FDCWD, folder.empty() ? "." : folder.c_str(), W_OK, AT_EACCESS) == 0;
  const auto log = std::filesystem::file_size(path + "-wal", ignored);
  return !writable && (ignored || log == 0) && std::filesystem::exists(path, ignored);
}

std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

// --- Database
// -------------------------------------------------------------------------------------------

Database::State::~State() {
  for (auto& [sql, entry] : kept) sqlite3_finalize(entry.statement);
  sqlite3_close_v2(connection);
}

Result<Database> Database::open(const DatabaseOptions& options) {
  if (std::error_code ignored; std::filesystem::is_directory(options.path, ignored)) {
    return fail(ErrorCode::invalid,
                fmt::format("cannot open {}: it is a folder; name a file", options.path));
  }
  auto state = std::make_unique<State>();
  state->path = options.path;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (options.access) {
    case DatabaseOptions::Access::create:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case DatabaseOptions::Access::existing:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case DatabaseOptions::Access::read_only:
      flags |= SQLITE_OPEN_READONLY;
      break;
  }
  std::string name = options.path;
  if (options.access == DatabaseOptions::Access::read_only && is_at_rest(options.path)) {
    name = immutable_uri(options.path);
    flags |= SQLITE_OPEN_URI;
  }
  const int code = sqlite3_open_v2(name.c_str(), &state->connection, flags, or_null(options.vfs));
  if (code != SQLITE_OK) return fail(error_of(state->connection, code, options.path, "open"));
  const auto timeout_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.busy_timeout).count();
  sqlite3_busy_timeout(state->connection, static_cast<int>(timeout_ms));

  Database database(std::move(state));
  if (options.access != DatabaseOptions::Access::read_only) {
    HASTUR_TRY(database.run_script(
        fmt::format("PRAGMA page_size={}; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint={}; "
                    "PRAGMA journal_size_limit={};",
                    options.page_bytes, options.wal_pages_max, options.wal_bytes_kept)));
    HASTUR_TRY(database.set_synced(options.synced));
  }
  return database;
}

Result<void> Database::run_script(const std::string& sql) {
  const int code = sqlite3_exec(state_->connection, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_of(state_->connection, code, path(), "use"));
  return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(state_->connection); }

Result<void> Database::set_synced(bool synced) {
  HASTUR_CHECK(!in_transaction(), "durability is changed between transactions only");
  return synced ? run("PRAGMA synchronous=FULL") : run("PRAGMA synchronous=NORMAL");
}

Result<void> Database::checkpoint() {
  Query query = this->query("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (*row && query.integer(0) != 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot write the WAL of {} back: a reader holds it", path()));
  }
  return {};
}

Result<std::uint64_t> Database::bytes() {
  Query query =
      this->query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  const auto row = query.step();
  if (!row) return fail(row.error());
  return query.unsigned_integer(0);
}

Query Database::prepare(std::string_view sql) {
  State::Kept& entry = state_->kept[sql];
  if (entry.statement != nullptr && !entry.used) {
    entry.used = true;
    return Query(*this, sql, entry.statement, true);
  }
  // A statement that is being stepped is not shared: the inner one is made for this once.
  const bool keep = entry.statement == nullptr;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(state_->connection, sql.data(), static_cast<int>(sql.size()),
                                      keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement, nullptr);
  if (code == SQLITE_OK && keep) {
    entry = {statement, true};
  }
  Query query(*this, sql, statement, keep && code == SQLITE_OK);
  query.note(code);
  return query;
}

Result<void> Database::finish(Query query) {
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
  }
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(state_->connection) == 0; }

// --- Query
// ----------------------------------------------------------------------------------------------

Query::Query(Database& database, std::string_view sql, sqlite3_stmt* statement, bool cached)
    : database_(&database), sql_(sql), statement_(statement), cached_(cached) {}

Query::Query(Query&& other) noexcept
    : database_(other.database_),
      sql_(other.sql_),
      statement_(std::exchange(other.statement_, nullptr)),
      cached_(other.cached_),
      error_(std::move(other.error_)) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  if (!cached_) {
    sqlite3_finalize(statement_);
    return;
  }
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  database_->state_->kept[sql_].used = false;
}

void Query::note(int code) {
  if (code == SQLITE_OK || error_) return;
  const Database::State& state = *database_->state_;
  error_ = error_of(state.connection, code, state.path, "use");
}

Result<bool> Query::step() {
  if (error_) return fail(*error_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    // A finished statement holds no lock and no snapshot.
    sqlite3_reset(statement_);
    return false;
  }
  const Database::State& state = *database_->state_;
  error_ = error_of(state.connection, code, state.path, "use");
  return fail(*error_);
}

void Query::bind_at(int index, std::int64_t value) {
  if (!error_) note(sqlite3_bind_int64(statement_, index, value));
}
void Query::bind_at(int index, double value) {
  if (!error_) note(sqlite3_bind_double(statement_, index, value));
}
void Query::bind_at(int index, std::string_view text) {
  // A null pointer would bind NULL.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  if (!error_) {
    note(sqlite3_bind_text64(statement_, index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
}
void Query::bind_at(int index, Blob blob) {
  const char* bytes = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  if (!error_) {
    note(sqlite3_bind_blob64(statement_, index, bytes, blob.bytes.size(), SQLITE_STATIC));
  }
}
void Query::bind_at(int index, std::nullopt_t) {
  if (!error_) note(sqlite3_bind_null(statement_, index));
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Query::number(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Query::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

// --- Transaction
// ----------------------------------------------------------------------------------------

Transaction::~Transaction() { roll_back(); }

Result<void> Transaction::begin() {
  HASTUR_TRY(database_.run("BEGIN IMMEDIATE"));
  open_ = true;
  return {};
}

Result<void> Transaction::begin_reading() {
  HASTUR_TRY(database_.run("BEGIN"));
  open_ = true;
  return {};
}

Result<void> Transaction::commit() {
  HASTUR_CHECK(open_, "a transaction is committed once, after its begin");
  auto committed = database_.run("COMMIT");
  if (!committed) {
    roll_back();
    return committed;
  }
  open_ = false;
  return {};
}

void Transaction::roll_back() {
  if (!open_) return;
  open_ = false;
  // Some errors (a full disk, a failed write) have rolled back already.
  if (database_.in_transaction()) (void)database_.run("ROLLBACK");
}

// --- files
// ----------------------------------------------------------------------------------------------

Result<void> remove_database(const std::string& path, const std::string& vfs_name) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(or_null(vfs_name));
  if (vfs == nullptr) {
    return fail(ErrorCode::invalid, fmt::format("there is no SQLite VFS \"{}\"", vfs_name));
  }
  // The file first: a WAL without its file is nothing, a file without its WAL would be an older
  // truth.
  for (const char* ending : {"", "-wal", "-shm"}) {
    const std::string name = path + ending;
    const int code = vfs->xDelete(vfs, name.c_str(), 0);
    if (code != SQLITE_OK && code != SQLITE_IOERR_DELETE_NOENT) {
      return fail(error_of(nullptr, code, name, "remove"));
    }
  }
  return {};
}

}  // namespace hastur
