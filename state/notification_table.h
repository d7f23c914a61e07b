#pragma once

// The tables of notifications, incidents and orders in a state file. An incident's row follows each
// change of its notifications, in the caller's transaction.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "state/sqlite/database.h"

namespace hastur {

class NotificationTable {
 public:
  // `database` outlives it.
  explicit NotificationTable(Database& database) : database_(database) {}

  // `trigger` is the number of record.trigger. Returns the id that it got.
  Result<std::uint64_t> insert(const NotificationRecord& record, std::uint64_t trigger);
  Result<void> change(const NotificationChange& change);

  // `trigger` is the number of the trigger asked for; nothing: all.
  Result<std::vector<NotificationRecord>> find(const CheckpointStore::NotificationQuery& query,
                                               std::optional<std::uint64_t> trigger);
  Result<std::vector<NotificationRecord>> of_ids(std::span<const std::uint64_t> ids);
  Result<std::vector<Incident>> incidents(const CheckpointStore::IncidentQuery& query,
                                          std::optional<std::uint64_t> trigger);
  Result<std::optional<Incident>> incident(std::uint64_t trigger, std::string_view channel,
                                           std::string_view key);

  // Returns the number of a new order.
  Result<std::uint64_t> put(const NotifyOrder& order);
  Result<std::vector<NotifyOrder>> orders(const CheckpointStore::OrderQuery& query);

  Result<void> put(const ReceiverRest& rest);
  Result<std::vector<ReceiverRest>> receiver_rests();

 private:
  Result<void> put(const Incident& incident, std::uint64_t trigger);

  Database& database_;
};

}  // namespace hastur
