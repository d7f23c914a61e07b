#pragma once

// What the API answers, as lines for people. Missing fields are left out: an older or newer
// supervisor is still readable.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace hastur {

// "12:00:05.123 gauge system.load.1m 0.41 on web1 {window=1m} from trigger_name"
std::string message_line(const Json& message);

// "12:00:05.123 pager_duty Load-is-high: the text (trigger, recorded)"
std::string notification_line(const Json& notification);

// The table of `hastur list`, of the items of /v1/triggers.
std::string trigger_table(const Json& items);

// The table of `hastur snapshots`, of the items of /v1/triggers/NAME/snapshots.
std::string snapshot_table(const Json& items);

// `hastur show`: what is known of one trigger, and its last checkpoint (null if there is none).
// `pin` as /v1/pins has it; null: it is not pinned.
std::string trigger_page(const Json& trigger, const Json& state, const Json& pin = nullptr);

// The last value of each series of a Prometheus text: "name{labels}" -> number. Lines that are none
// are passed over.
std::map<std::string, double> parse_metrics(std::string_view text);

// The sum of all series of one family; 0 if there is none.
double metric_sum(const std::map<std::string, double>& metrics, const std::string& family);

// `hastur status`: health, traffic, triggers, what says which run (of /v1/source, or null) and what
// happens to notifications (of /v1/notify, or null) on one page.
std::string status_page(const Json& health, const std::map<std::string, double>& metrics,
                        const Json& triggers, const Json& notify = nullptr,
                        const Json& source = nullptr);

}  // namespace hastur
