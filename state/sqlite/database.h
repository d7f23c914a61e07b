#pragma once

// The one wrapper of SQLite: a file, its cached statements, its transactions.
//
// Every database is in WAL mode. Errors come as sentences that name the file; their code is `full`
// when the disk is, `corrupt` when the file is damaged or is no database, `unavailable` when
// another connection holds a lock past the busy timeout, else `failed`. After a failed statement or
// commit the connection can be used again.
//
//   Transaction transaction(database);
//   HASTUR_TRY(transaction.begin());
//   HASTUR_TRY(database.run("INSERT INTO mark VALUES (?1, ?2)", trigger, run.value));
//   HASTUR_TRY(transaction.commit());
//
//   Query query = database.query("SELECT run FROM mark WHERE trigger = ?1", trigger);
//   auto row = query.step();
//   if (!row) return fail(row.error());
//   if (*row) use(query.integer(0));

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "core/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hastur {

struct DatabaseOptions {
  std::string path;
  enum class Access : std::uint8_t { create, existing, read_only };
  Access access = Access::create;
  // Whether a commit is on the disk when it returns. If not, it survives the death of the process,
  // and a power loss takes a suffix of the commits, never a part of one.
  bool synced = false;
  // How long a lock held by another connection is waited for.
  Micros busy_timeout = std::chrono::seconds{5};
  // Only of effect in a new file: a power of two from 512 to 65536.
  std::uint32_t page_bytes = 4096;
  // The WAL is written back into the file once it has this many pages, and cut to `wal_bytes_kept`
  // when it starts again.
  std::uint32_t wal_pages_max = 1000;
  std::uint64_t wal_bytes_kept = 16u << 20;
  // Name of the SQLite VFS; empty for the default.
  std::string vfs = {};
};

// Bytes that are bound as a blob; a string_view is bound as text.
struct Blob {
  std::string_view bytes;
};

class Database;

// One execution of a statement. Text, blobs and the database must outlive it: nothing is copied on
// binding.
class Query {
 public:
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  // Goes to the next row; false when there is none. An error of the statement's making or binding
  // comes here too.
  Result<bool> step();

  // Columns of the row, from 0. Bytes live until the next step. NULL reads as 0 and as empty.
  std::int64_t integer(int column) const;
  std::uint64_t unsigned_integer(int column) const {
    return static_cast<std::uint64_t>(integer(column));
  }
  double number(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  Query(Database& database, std::string_view sql, sqlite3_stmt* statement, bool cached);

  void bind_at(int index, std::int64_t value);
  void bind_at(int index, double value);
  void bind_at(int index, std::string_view text);
  void bind_at(int index, Blob blob);
  void bind_at(int index, std::nullopt_t);
  template <std::integral T>
  void bind_at(int index, T value) {
    bind_at(index, static_cast<std::int64_t>(value));
  }
  template <class T>
  void bind_at(int index, const std::optional<T>& value) {
    value ? bind_at(index, *value) : bind_at(index, std::nullopt);
  }
  void note(int code);

  Database* database_;
  std::string_view sql_;
  sqlite3_stmt* statement_;
  bool cached_;
  std::optional<Error> error_;
};

// Not thread-safe: belongs to the thread that uses it.
class Database {
 public:
  static Result<Database> open(const DatabaseOptions& options);
  Database(Database&&) noexcept = default;
  Database& operator=(Database&&) noexcept = default;
  // Closes the file. If nobody else has it open, its WAL is written back and removed.
  ~Database() = default;

  const std::string& path() const { return state_->path; }

  // Starts a statement with ?1, ?2 … bound to the arguments. `sql` is a literal: statements are
  // prepared once and kept. u64 are stored as the same bits in a signed integer.
  template <class... Args>
  Query query(std::string_view sql, const Args&... args) {
    Query query = prepare(sql);
    int index = 0;
    (query.bind_at(++index, args), ...);
    return query;
  }

  // Runs one statement to its end, dropping its rows.
  template <class... Args>
  Result<void> run(std::string_view sql, const Args&... args) {
    return finish(query(sql, args...));
  }

  // Runs several statements, separated by ';', without arguments: a schema.
  Result<void> run_script(const std::string& sql);

  // How many rows the last statement inserted, changed or removed.
  std::int64_t changes() const;
  // Changes DatabaseOptions::synced from the next transaction on. Not within one.
  Result<void> set_synced(bool synced);
  // Writes the whole WAL back into the file, syncs both and empties the WAL: all commits are on the
  // disk then. Fails with `unavailable` if a reader holds a part of it.
  Result<void> checkpoint();
  // What the file weighs, without its WAL.
  Result<std::uint64_t> bytes();

 private:
  friend class Query;
  friend class Transaction;

  struct State {
    ~State();
    sqlite3* connection = nullptr;
    std::string path;
    struct Kept {
      sqlite3_stmt* statement = nullptr;
      bool used = false;
    };
    std::unordered_map<std::string_view, Kept> kept;  // keyed by literals
  };

  explicit Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
  Query prepare(std::string_view sql);
  static Result<void> finish(Query query);
  bool in_transaction() const;

  // By pointer, so that statements and transactions stay right when the Database is moved.
  std::unique_ptr<State> state_;
};

// Rolls back unless it was committed. The database must outlive it and stay where it is.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // Takes the write lock at once, so that no later statement fails for want of it.
  Result<void> begin();
  // All reads until the end see the same state of the file.
  Result<void> begin_reading();
  // On failure nothing of the transaction is in the file.
  Result<void> commit();

 private:
  void roll_back();

  Database& database_;
  bool open_ = false;
};

// Removes a database with its WAL and shared-memory file; what is not there is no error.
Result<void> remove_database(const std::string& path, const std::string& vfs = {});

}  // namespace hastur
