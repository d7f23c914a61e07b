#include "supervisor/platform_watch.h"

#include <algorithm>

#include "core/json.h"

namespace hastur {
namespace {

NotificationRecord record(const std::string& key, std::string_view text, NotificationAction action,
                          Json details, Time now) {
  NotificationRecord made;
  made.trigger = std::string(platform_name);
  made.time = now;
  made.payload = platform_payload(key, text, std::move(details), action);
  return made;
}

}  // namespace

Result<void> PlatformWatch::start(CheckpointStore& store) {
  CheckpointStore::IncidentQuery query;
  query.trigger = std::string(platform_name);
  query.max = 1'000;
  const auto open = store.incidents(query);
  if (!open) return fail(open.error());
  for (const Incident& incident : *open) {
    if (incident.told_open) told_.try_emplace(incident.key);
  }
  return {};
}

std::vector<NotificationRecord> PlatformWatch::look(const std::vector<PlatformTrouble>& troubles,
                                                    Time now) {
  std::vector<NotificationRecord> tell;
  for (const PlatformTrouble& trouble : troubles) {
    if (const auto told = told_.find(trouble.key); told != told_.end()) {
      told->second = {trouble.text, std::nullopt};
    } else if (now - trouble.since >= steady_after) {
      tell.push_back(record(trouble.key, trouble.text, NotificationAction::trigger,
                            {{"since", to_us(trouble.since)}}, now));
      told_.emplace(trouble.key, Told{trouble.text, std::nullopt});
    }
  }
  for (auto each = told_.begin(); each != told_.end();) {
    auto& [key, told] = *each;
    const bool stands = std::ranges::find(troubles, key, &PlatformTrouble::key) != troubles.end();
    if (!stands && !told.gone_since) told.gone_since = now;
    if (stands || now - *told.gone_since < steady_after) {
      ++each;
      continue;
    }
    tell.push_back(record(key, told.text.empty() ? "Over" : "Over: " + told.text,
                          NotificationAction::resolve, Json::object(), now));
    each = told_.erase(each);
  }
  return tell;
}

}  // namespace hastur
