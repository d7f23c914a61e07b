#include "supervisor/dispatch/late.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "core/json.h"
#include "supervisor/dispatch/digest.h"

namespace hastur {
namespace {

class Settling {
 public:
  Settling(CheckpointStore& store, bool gone, const NotificationRule& rule)
      : store_(store), gone_(gone), rule_(rule) {}

  Result<void> take(NotificationRecord record) {
    if (gone_) return close(record, "its trigger is gone");
    if (record.key.empty()) return collect(record);
    const auto incident = store_.incident(record.trigger, record.channel, record.key);
    if (!incident) return fail(incident.error());
    if (!*incident) return close(record, "its incident is not open");
    const Incident& at = **incident;
    if (still_speaks(at, record)) return release(record);
    if (at.state != IncidentState::closed)
      return close(record, fmt::format("{} says the newer", short_id(at.newest)));
    return close(record, "its incident closed before its trigger had caught up");
  }

  LateSettlement finish() && {
    for (auto& [who, audience] : audiences_) {
      if (audience.alone) {
        release(*audience.alone, audience.first_change);
        continue;
      }
      NotificationRecord record = std::move(audience.digest).finish();
      rule_(record);
      settled_.digests.push_back(std::move(record));
    }
    return std::move(settled_);
  }

 private:
  Result<void> close(const NotificationRecord& record, std::string reason) {
    settled_.changes.push_back({record.id, NotificationStatus::closed, std::move(reason), {}});
    return {};
  }
  Result<void> release(NotificationRecord& record) {
    settled_.changes.emplace_back();
    release(record, settled_.changes.size() - 1);
    return {};
  }
  void release(NotificationRecord& record, std::size_t change) {
    record.reason.clear();
    rule_(record);
    settled_.changes[change] = {record.id, record.status, std::move(record.reason), {}};
  }
  Result<void> collect(const NotificationRecord& record) {
    const auto payload = parse_json(record.payload);
    if (!payload || !payload->is_object()) return close(record, "it cannot be read");
    const auto [at, is_first] = audiences_.try_emplace(digest_audience(record, *payload));
    Audience& audience = at->second;
    audience.alone.reset();
    // A program takes what it knows: several come in our form, but one comes in its own.
    if (is_first && payload->value("kind", Json()) == "web_hook") audience.alone = record;
    if (is_first) audience.first_change = settled_.changes.size();
    return close(record, audience.digest.add(record, *payload)
                             ? "it is told in a digest"
                             : "it is counted in a digest, in which it had no room");
  }

  struct Audience {
    Digest digest;
    // Of the first that it gets, and that one, if there is no other and it needs no digest.
    std::size_t first_change = 0;
    std::optional<NotificationRecord> alone;
  };

  CheckpointStore& store_;
  const bool gone_;
  const NotificationRule& rule_;
  // By digest_audience().
  std::map<std::string, Audience> audiences_;
  LateSettlement settled_;
};

// Calls `take` with each pending one in the order of their ids, until it returns false.
template <class Take>
Result<void> each_late(CheckpointStore& store, const TriggerName& trigger, const Take& take) {
  CheckpointStore::NotificationQuery query;
  query.trigger = trigger;
  query.status = NotificationStatus::pending;
  query.max = 1'000;
  while (true) {
    auto page = store.notifications(query);
    if (!page) return fail(page.error());
    for (NotificationRecord& record : *page) {
      query.after_id = record.id;
      if (record.reason != late_reason) continue;
      const Result<bool> goes_on = take(std::move(record));
      if (!goes_on) return fail(goes_on.error());
      if (!*goes_on) return {};
    }
    if (page->size() < query.max) return {};
  }
}

}  // namespace

Result<LateSettlement> settle_late(CheckpointStore& store, const TriggerName& trigger, bool gone,
                                   const NotificationRule& rule) {
  Settling settling(store, gone, rule);
  std::uint32_t count = 0;
  bool more = false;
  const auto take = [&](NotificationRecord record) -> Result<bool> {
    more = count == settled_max;
    if (more) return false;
    ++count;
    HASTUR_TRY(settling.take(std::move(record)));
    return true;
  };
  HASTUR_TRY(each_late(store, trigger, take));
  LateSettlement settled = std::move(settling).finish();
  settled.more = more;
  return settled;
}

Result<std::vector<TriggerName>> late_triggers(CheckpointStore& store) {
  std::set<TriggerName> names;
  const auto take = [&](const NotificationRecord& record) -> Result<bool> {
    names.insert(record.trigger);
    return true;
  };
  HASTUR_TRY(each_late(store, "", take));
  return std::vector<TriggerName>(names.begin(), names.end());
}

}  // namespace hastur
