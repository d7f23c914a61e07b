#include "supervisor/succession.h"

#include <fmt/format.h>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/platform_watch.h"

namespace hastur {
namespace {

constexpr std::uint32_t page = 500;

// The payload of a notification of the same incident: with another key, action and text.
std::string payload_like(const NotificationRecord& asked, std::string_view channel,
                         std::string_view key, std::string_view text, NotificationAction action) {
  auto payload = parse_json(asked.payload);
  Json made = payload && payload->is_object() ? *std::move(payload) : Json::object();
  // Of one that is not kept any more: a call that every channel takes.
  if (!made.contains("kind")) {
    made = {{"kind", "slack"},
            {"to", nullptr},
            {"text", "It was asked for before all that is kept."},
            {"details", Json::object()}};
  }
  made["key"] = key;
  Json& options = made["options"];
  if (!options.is_object()) options = Json::object();
  // A mail's `to` is its recipients.
  (made["kind"] == "send_email" ? options["to"] : made["to"]) = channel;
  if (action == NotificationAction::trigger) {
    options.erase("action");
  } else {
    options["action"] = action_name(action);
    // It says what the trigger wanted to say, which is something else.
    options.erase("body");
    made["text"] = text;
  }
  return canonical_json(made);
}

NotificationRecord with_status(NotificationRecord record, NotificationStatus status,
                               std::string reason) {
  record.status = status;
  record.reason = std::move(reason);
  return record;
}

}  // namespace

void Succession::begin() {
  looked_through_ = 0;
  waits_ = false;
  known_.clear();
}

Result<bool> Succession::turn() {
  if (!looked_through_) return false;
  CheckpointStore::IncidentQuery query;
  query.after_number = *looked_through_;
  query.max = page;
  const auto incidents = store_.incidents(query);
  if (!incidents) return fail(incidents.error());
  for (const Incident& incident : *incidents) {
    HASTUR_TRY(look(incident));
    looked_through_ = incident.number;
  }
  if (incidents->size() == query.max) return true;
  looked_through_.reset();
  known_.clear();
  return false;
}

Result<void> Succession::look(const Incident& incident) {
  if (incident.trigger == platform_name) return {};
  const auto known = this->known(incident.trigger);
  if (!known) return fail(known.error());
  if ((*known)->awaits_replay) {
    waits_ = true;
    return {};
  }
  const auto newest = record_of(incident.newest);
  if (!newest) return fail(newest.error());
  if (!(*known)->run) return look_at_end(incident, *newest);
  // What is not kept any more is older than every memory to go back to.
  if (!*newest) return {};
  const bool is_of_pause = is_pause(incident, **newest);
  if (is_of_pause) {
    if (calls_.is_paused(incident.trigger)) return {};
  } else {
    const auto held = is_held(**known, incident, **newest);
    if (!held) return fail(held.error());
    if (*held) return {};
  }
  auto asked = last_asked(incident, *newest);
  if (!asked) return fail(asked.error());
  if (!is_of_pause) asked->run = *(*known)->run;
  resolve(incident, *asked,
          is_of_pause ? "another run has begun, which is not paused"
                      : "its trigger went on from before it",
          incident.told_open);
  return {};
}

// Of a trigger that is not there any more.
Result<void> Succession::look_at_end(const Incident& incident,
                                     const std::optional<NotificationRecord>& newest) {
  const auto asked = last_asked(incident, newest);
  if (!asked) return fail(asked.error());
  const auto heir = heir_of(incident.trigger, asked->run);
  if (!heir) return fail(heir.error());
  if (!heir->empty() && !is_pause(incident, *asked)) {
    go_on_as(*heir, incident, *asked);
  } else {
    resolve(incident, *asked, "its trigger is gone", incident.told_open);
  }
  return {};
}

// The notification that asked for the incident last, or one of it that is kept; else an empty one.
Result<NotificationRecord> Succession::last_asked(const Incident& incident,
                                                  const std::optional<NotificationRecord>& newest) {
  auto asked = incident.newest_trigger == incident.newest ? newest : std::nullopt;
  if (!asked) {
    auto found = record_of(incident.newest_trigger);
    if (!found) return fail(found.error());
    asked = std::move(*found);
  }
  NotificationRecord record = asked ? *std::move(asked) : newest.value_or(NotificationRecord{});
  record.trigger = incident.trigger;
  return record;
}

Result<Succession::Known*> Succession::known(const TriggerName& trigger) {
  const auto [found, is_new] = known_.try_emplace(trigger);
  Known& known = found->second;
  if (!is_new) return &known;
  known.run = calls_.run_of(trigger);
  if (!known.run) return &known;
  known.awaits_replay = calls_.awaits_replay(trigger);
  auto line = MemoryLine::of(store_, trigger, *known.run);
  if (!line) {
    known_.erase(found);
    return fail(line.error());
  }
  known.line = std::move(*line);
  return &known;
}

Result<bool> Succession::is_held(Known& known, const Incident& incident,
                                 const NotificationRecord& newest) {
  if (known.line->holds(newest.run, newest.sequence)) return true;
  if (!known.open) {
    auto open = open_by(*known.line, incident.trigger);
    if (!open) return fail(open.error());
    known.open = std::move(*open);
  }
  return known.open->contains({incident.channel, incident.key});
}

Result<std::set<Succession::Key>> Succession::open_by(const MemoryLine& line,
                                                      const TriggerName& trigger) {
  std::set<Key> open;
  CheckpointStore::NotificationQuery query;
  query.trigger = trigger;
  query.max = page;
  while (true) {
    const auto records = store_.notifications(query);
    if (!records) return fail(records.error());
    for (const NotificationRecord& record : *records) {
      query.after_id = record.id;
      if (record.key.empty() || !line.holds(record.run, record.sequence)) continue;
      if (record.action == NotificationAction::trigger) open.insert({record.channel, record.key});
      if (record.action == NotificationAction::resolve) open.erase({record.channel, record.key});
    }
    if (records->size() < query.max) return open;
  }
}

// What the platform says of the trigger; no memory holds that.
bool Succession::is_pause(const Incident& incident, const NotificationRecord& asked) {
  if (incident.key != "paused/" + incident.trigger) return false;
  const auto payload = parse_json(asked.payload);
  return payload && payload->is_object() && payload->value("kind", Json()) == platform_call;
}

// The trigger that goes on under another name with what this one held; empty if it just ended.
Result<TriggerName> Succession::heir_of(TriggerName trigger, Run run) {
  // Names may have changed again since.
  constexpr int steps_max = 100;
  for (int step = 0; step < steps_max; ++step) {
    const auto journal = store_.journal(trigger, std::max(run, store_.newest_run(trigger)));
    if (!journal) return fail(journal.error());
    TriggerName heir;
    for (const JournalRecord& record : *journal) {
      if (record.decision != "forget") continue;
      const auto detail = parse_json(record.detail);
      if (detail) heir = detail->value("heir", "");
    }
    if (heir.empty() || calls_.run_of(heir)) return heir;
    trigger = std::move(heir);
    run = Run{};
  }
  return TriggerName();
}

Result<std::optional<NotificationRecord>> Succession::record_of(std::uint64_t id) {
  const std::uint64_t ids[] = {id};
  auto found = store_.notifications_of(ids);
  if (!found) return fail(found.error());
  if (found->empty()) return std::optional<NotificationRecord>();
  return std::optional(std::move(found->front()));
}

void Succession::resolve(const Incident& incident, const NotificationRecord& asked,
                         const std::string& why, bool is_told, NotificationStatus otherwise) {
  NotificationRecord record;
  record.trigger = incident.trigger;
  record.run = asked.run;
  record.time = clock_.now();
  record.payload = payload_like(asked, incident.channel, incident.key, "Resolved: " + why,
                                NotificationAction::resolve);
  log_info("{}: the incident {} on {} is resolved: {}", incident.trigger, incident.key,
           incident.channel, why);
  if (is_told) return calls_.notify(std::move(record));
  // Nobody needs to be told.
  calls_.store(with_status(std::move(record), otherwise, why));
}

void Succession::go_on_as(const TriggerName& heir, const Incident& incident,
                          const NotificationRecord& asked) {
  NotificationRecord record;
  record.trigger = heir;
  record.run = calls_.run_of(heir).value_or(Run{});
  record.time = clock_.now();
  // An alert's key has its trigger's name in it, so that its receiver gets to know it anew.
  const std::string prefix = incident.trigger + "/";
  const bool is_named = incident.key.starts_with(prefix);
  const std::string key = is_named ? heir + "/" + incident.key.substr(prefix.size()) : incident.key;
  record.payload = payload_like(asked, incident.channel, key, "", NotificationAction::trigger);
  // What waits for something goes on waiting for it; what was told need not be told again.
  if (!incident.told_open) {
    calls_.store(with_status(std::move(record), asked.status, asked.reason));
  } else if (!is_named) {
    record.sent_at = incident.last_sent;
    calls_.store(
        with_status(std::move(record), NotificationStatus::sent,
                    fmt::format("{} was sent of {}", short_id(asked.id), incident.trigger)));
  } else {
    calls_.notify(std::move(record));
  }
  resolve(incident, asked, "it goes on as " + heir, incident.told_open && is_named,
          incident.told_open ? NotificationStatus::sent : NotificationStatus::closed);
}

}  // namespace hastur
