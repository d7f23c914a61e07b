#include "supervisor/dispatch/late.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

#include "core/json.h"

namespace hastur {
namespace {

constexpr std::size_t listed_max = 50;  // of a digest; the others are counted

// Keyless notifications that go to one place.
class Digest {
 public:
  void add(const NotificationRecord& record, const Json& payload) {
    ++count_;
    if (count_ == 1) first_ = record.time;
    newest_ = record;
    payload_ = payload;
    const Json text = payload.value("text", Json(""));
    if (listed_.size() < listed_max) {
      listed_.push_back(
          {{"id", short_id(record.id)}, {"time", to_us(record.time)}, {"text", text}});
    }
  }

  NotificationRecord finish() && {
    const std::string first_text =
        listed_.front()["text"].is_string() ? listed_.front()["text"].get<std::string>() : "";
    const std::string others = count_ > 1 ? fmt::format(" (and {} more)", count_ - 1) : "";
    const std::string text =
        fmt::format("{} late notification{} of {}: {}{}", count_, count_ == 1 ? "" : "s",
                    newest_.trigger, first_text, others);
    Json details = {{"count", count_},
                    {"first", to_us(first_)},
                    {"last", to_us(newest_.time)},
                    {"late", listed_}};
    if (payload_.value("kind", Json("")) == "send_email") {
      std::string body = fmt::format("{} was behind. Meanwhile it had to say:\n", newest_.trigger);
      for (const Json& each : listed_)
        body += fmt::format("\n{} {}", format_time(time_from_us(each["time"])),
                            each["text"].is_string() ? each["text"].get<std::string>() : "");
      if (count_ > listed_.size()) body += fmt::format("\nand {} more", count_ - listed_.size());
      details["body"] = body;
    }
    payload_["text"] = text;
    payload_["details"] = std::move(details);
    NotificationRecord digest = newest_;
    digest.id = 0;
    digest.reason.clear();
    digest.payload = canonical_json(payload_);
    return digest;
  }

 private:
  std::uint64_t count_ = 0;
  Time first_{};
  NotificationRecord newest_;
  Json payload_;
  Json listed_ = Json::array();
};

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
    for (auto& [place, digest] : digests_) {
      NotificationRecord record = std::move(digest).finish();
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
    record.reason.clear();
    rule_(record);
    settled_.changes.push_back({record.id, record.status, std::move(record.reason), {}});
    return {};
  }
  Result<void> collect(const NotificationRecord& record) {
    const auto payload = parse_json(record.payload);
    if (!payload || !payload->is_object()) return close(record, "it cannot be read");
    const auto options = payload->find("options");
    const bool has_url = options != payload->end() && options->contains("url");
    digests_[{record.channel, payload->value("kind", Json()).dump(),
              payload->value("to", Json()).dump(), has_url ? (*options)["url"].dump() : ""}]
        .add(record, *payload);
    return close(record, "it is told in a digest");
  }

  CheckpointStore& store_;
  const bool gone_;
  const NotificationRule& rule_;
  // By channel, kind, recipients and address.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, Digest> digests_;
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
