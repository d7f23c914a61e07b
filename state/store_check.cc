#include "state/store_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "state/store_schema.h"

namespace hastur {
namespace {

// Each statement gives the rows that must not be there, as one text each; `what` is said of it.
struct Rule {
  const char* what;
  const char* sql;
};

#define HASTUR_NAME(table)                                                                 \
  "coalesce((SELECT name FROM trigger WHERE number = " table ".trigger), 'nr. ' || " table \
  ".trigger)"

constexpr std::array rules = {
    Rule{"is marked as running without a state",
         "SELECT name FROM trigger WHERE live AND number NOT IN (SELECT trigger FROM checkpoint)"},
    Rule{"has a checkpoint without its memory, or a memory without its checkpoint",
         "SELECT " HASTUR_NAME(
             "c") " FROM checkpoint AS c WHERE trigger NOT IN "
                  "(SELECT trigger FROM memory) UNION ALL SELECT " HASTUR_NAME(
                      "m") " FROM memory AS m "
                           "WHERE trigger NOT IN (SELECT trigger FROM checkpoint)"},
    Rule{"is at another run than its checkpoint",
         "SELECT name FROM trigger JOIN checkpoint ON trigger = number "
         "WHERE live AND trigger.run <> checkpoint.run"},
    Rule{"has a run that is not recorded",
         "SELECT name FROM trigger WHERE live AND NOT EXISTS (SELECT 1 FROM run "
         "WHERE run.trigger = number AND run.run = trigger.run)"},
    Rule{
        "has effects that end before its state",
        "SELECT " HASTUR_NAME("c") " FROM checkpoint AS c WHERE effects_sequence < state_sequence"},
    Rule{"has a state that is no JSON",
         "SELECT " HASTUR_NAME("m") " FROM memory AS m WHERE state <> '' AND "
                                    "(NOT json_valid(state) OR NOT json_valid(runtime))"},
    Rule{"has a run whose version is not there",
         "SELECT " HASTUR_NAME("r") " || ', run ' || run FROM run AS r "
                                    "WHERE version NOT IN (SELECT id FROM version)"},
    Rule{"is a version without its files",
         "SELECT id FROM version WHERE NOT EXISTS (SELECT 1 FROM version_file JOIN source "
         "ON source.number = version_file.source WHERE version = id AND place = 0) UNION "
         "SELECT version FROM version_file WHERE source NOT IN (SELECT number FROM source)"},
    Rule{"has a snapshot of a run that is not recorded",
         "SELECT " HASTUR_NAME(
             "s") " || ', s-' || number FROM snapshot AS s WHERE NOT EXISTS "
                  "(SELECT 1 FROM run WHERE run.trigger = s.trigger AND run.run = s.run)"},
    Rule{"has a snapshot that is no JSON",
         "SELECT " HASTUR_NAME("s") " || ', s-' || number FROM snapshot AS s WHERE "
                                    "NOT json_valid(state) OR NOT json_valid(runtime)"},
    Rule{
        "has derived messages that do not leave in their order",
        "SELECT DISTINCT " HASTUR_NAME(
            "o") " FROM (SELECT trigger, run, sequence, ordinal, "
                 "lag(run) OVER w AS run_before, lag(sequence) OVER w AS sequence_before, "
                 "lag(ordinal) OVER w AS ordinal_before FROM outbox "
                 "WINDOW w AS (PARTITION BY trigger ORDER BY id)) AS o "
                 "WHERE (run, sequence, ordinal) <= (run_before, sequence_before, ordinal_before)"},
    Rule{"is a notification that cannot be read",
         "SELECT printf('n-%04x', id) FROM notification WHERE NOT json_valid(payload) OR status "
         "NOT IN ('recorded', 'waiting', 'sent', 'pending', 'closed', 'failed') OR action "
         "NOT IN ('trigger', 'acknowledge', 'resolve')"},
    Rule{
        "is an incident that is newer than its notifications",
        "SELECT printf('%s/%s', " HASTUR_NAME(
            "i") ", key) FROM incident AS i "
                 "WHERE newest_trigger > newest OR newest > "
                 "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'notification')"},
    Rule{"has a decision that cannot be read",
         "SELECT " HASTUR_NAME("j") " || ' at ' || sequence FROM journal AS j "
                                    "WHERE NOT json_valid(detail)"},
    Rule{"is spoken of and not known",
         "SELECT DISTINCT 'nr. ' || trigger FROM (SELECT trigger FROM checkpoint UNION ALL SELECT "
         "trigger FROM run UNION ALL SELECT trigger FROM outbox UNION ALL SELECT trigger FROM "
         "notification UNION ALL SELECT trigger FROM snapshot UNION ALL SELECT trigger FROM "
         "journal UNION ALL SELECT trigger FROM incident) "
         "WHERE trigger NOT IN (SELECT number FROM trigger)"},
};

constexpr int told_max = 20;  // of one kind

Result<void> apply(Database& database, const Rule& rule, StoreCheck& check) {
  Query query = database.query(rule.sql);
  for (int told = 0;; ++told) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    if (told == told_max) {
      check.findings.push_back(fmt::format("and more that {}", rule.what));
      return {};
    }
    check.findings.push_back(fmt::format("{} {}", query.text(0), rule.what));
  }
}

Result<void> check_pages(Database& database, StoreCheck& check) {
  Query query = database.query("PRAGMA integrity_check(20)");
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    if (query.text(0) != "ok") check.findings.emplace_back(query.text(0));
  }
}

Result<void> count(Database& database, StoreCheck& check) {
  {
    Query query = database.query(
        "SELECT (SELECT count(*) FROM trigger WHERE live), (SELECT count(*) FROM notification), "
        "(SELECT coalesce(max(effects_sequence), 0) FROM checkpoint), "
        "(SELECT coalesce(max(position), 0) FROM meta)");
    const auto row = query.step();
    if (!row) return fail(row.error());
    check.triggers = query.unsigned_integer(0);
    check.notifications = query.unsigned_integer(1);
    check.furthest = {std::max(query.unsigned_integer(2), query.unsigned_integer(3))};
  }
  Query query = database.query("SELECT stream FROM meta");
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (*row && !query.is_null(0)) check.stream = StreamId::from_string(query.text(0));
  return {};
}

}  // namespace

Result<StoreCheck> check_store(const SqliteStoreOptions& options) {
  SqliteStoreOptions to_read = options;
  to_read.read_only = true;
  auto database = open_state_file(to_read);
  if (!database) return fail(database.error());
  StoreCheck check;
  // One picture of the file, whatever is written meanwhile.
  Transaction transaction(*database);
  HASTUR_TRY(transaction.begin_reading());
  const auto rest = [&]() -> Result<void> {
    HASTUR_TRY(check_pages(*database, check));
    for (const Rule& rule : rules) HASTUR_TRY(apply(*database, rule, check));
    return count(*database, check);
  };
  if (const auto done = rest(); !done) {
    if (check.findings.empty() && done.error().code != ErrorCode::corrupt)
      return fail(done.error());
    check.findings.push_back(done.error().message);
  }
  return check;
}

}  // namespace hastur
