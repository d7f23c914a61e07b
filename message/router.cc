#include "message/router.h"

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>

#include "message/intern_table.h"

namespace hastur {
namespace {

// Types are bits of one word, their wire ids being below 63; a tick's is not, and matches nothing.
constexpr std::uint64_t type_bit(std::uint8_t type) { return type < 63 ? 1ull << type : 0; }
// Of a name not looked up yet in this batch.
constexpr std::uint64_t not_known = 1ull << 63;
constexpr std::uint64_t all_types = not_known - 1;

// Names remembered from batch to batch; past these bounds they are forgotten and looked up anew.
constexpr std::uint32_t names_kept_max = 65'536;
constexpr std::size_t name_bytes_kept_max = 8u << 20;

// Conditions on dictionary entries, numbered over all subscriptions so that equal ones share a
// number; 0 asks nothing.
using Group = std::uint32_t;

// Verdicts of (group, dictionary id) in the current batch. A table of fixed size in which newer
// ones displace older ones: no memory grows with triggers times distinct labels, and a displaced
// verdict is only decided again.
class Verdicts {
 public:
  void next_batch() { ++generation_; }

  template <class Decide>
  bool get(Group group, std::uint32_t id, Decide decide) {
    Slot& slot = slots_[(group * 0x9E3779B1u + id) & (slot_count - 1)];
    if (slot.generation != generation_ || slot.group != group || slot.id != id) {
      slot = {generation_, group, id, decide()};
    }
    return slot.holds;
  }

 private:
  static constexpr std::uint32_t slot_count = 16'384;  // 384 KiB: within most L2 caches
  struct Slot {
    std::uint64_t generation = 0;
    Group group = 0;
    std::uint32_t id = 0;
    bool holds = false;
  };
  std::uint64_t generation_ = 0;
  std::vector<Slot> slots_ = std::vector<Slot>(slot_count);
};

// What is looked at for each candidate; the filter itself only where a verdict is missing.
struct Candidate {
  std::uint64_t types = 0;
  std::uint32_t trigger = 0;
  std::uint32_t callback = 0;
  Group uuid = 0, hostname = 0, labels = 0;
  // Whether there is anything to ask besides type and name.
  bool asks = false;
  bool asks_rest = false;
  bool asks_whole = false;
  bool own = false;
};

// Who may want a name: numbers of candidates, ascending, and all their types.
struct Wanted {
  std::uint64_t types = 0;
  std::vector<std::uint32_t> by;
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return hash64(text); }
};

Value text_or_absent(const BatchView& batch, std::uint32_t id) {
  return id == BatchView::none ? Value{} : Value::of(batch.string(id));
}

void sort_by_trigger(std::vector<Subscription>& subscriptions) {
  std::ranges::stable_sort(subscriptions, [](const Subscription& a, const Subscription& b) {
    return std::pair(a.trigger, a.callback) < std::pair(b.trigger, b.callback);
  });
}

}  // namespace

std::span<const Match> Routed::matches(std::uint32_t trigger) const {
  if (trigger >= by_trigger_.size()) return {};
  return by_trigger_[trigger];
}

struct Router::Index {
  std::vector<Subscription> subscriptions;
  // candidates[i] is what subscriptions[i] comes to.
  std::vector<Candidate> candidates;
  std::uint32_t triggers = 0;

  // Those that name what they want; those that ask something else of the name; those that ask
  // nothing of it.
  std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>> by_name;
  std::vector<std::uint32_t> by_condition;
  std::array<std::vector<std::uint32_t>, 64> any_name;
  std::uint64_t any_name_types = 0;
  // What a message without a name finds.
  Wanted nameless;

  // What names of earlier messages came to.
  InternTable names;
  std::vector<Wanted> wanted;

  // By string id of the current batch, and the last for no name: the types wanted, and the number
  // in `wanted`.
  std::vector<std::uint64_t> types_of;
  std::vector<std::uint32_t> wanted_of;
  Verdicts verdicts;
  std::vector<Label> scratch;

  explicit Index(std::vector<Subscription> all) : subscriptions(std::move(all)) {
    sort_by_trigger(subscriptions);
    std::unordered_map<std::string, Group> groups;
    for (std::uint32_t i = 0; i < subscriptions.size(); ++i) {
      candidates.push_back(candidate_of(subscriptions[i], groups));
      triggers = std::max(triggers, subscriptions[i].trigger + 1);
      file_by_name(i);
    }
  }

  static Candidate candidate_of(const Subscription& subscription,
                                std::unordered_map<std::string, Group>& groups) {
    const Filter& filter = subscription.filter;
    const auto group = [&](const char* key, bool asked) -> Group {
      if (!asked) return 0;
      std::string text(key);
      text += filter.asked(key);
      return groups.try_emplace(std::move(text), static_cast<Group>(groups.size() + 1))
          .first->second;
    };
    Candidate candidate;
    candidate.trigger = subscription.trigger;
    candidate.callback = subscription.callback;
    candidate.types = subscription.types.empty() ? all_types : 0;
    for (const MessageType type : subscription.types)
      candidate.types |= type_bit(static_cast<std::uint8_t>(type));
    for (std::uint8_t type = 0; type < 63; ++type) {
      if (!filter.type_matches(static_cast<MessageType>(type))) candidate.types &= ~type_bit(type);
    }
    candidate.uuid = group("uuid", filter.uuid().has_value());
    candidate.hostname = group("hostname", filter.hostname().has_value());
    candidate.labels = group("labels", filter.asks_labels());
    candidate.asks_rest = filter.asks_rest();
    candidate.asks_whole = filter.asks_whole();
    candidate.asks = candidate.uuid != 0 || candidate.hostname != 0 || candidate.labels != 0 ||
                     candidate.asks_rest;
    candidate.own = subscription.own;
    return candidate;
  }

  void file_by_name(std::uint32_t i) {
    const auto& name = subscriptions[i].filter.name();
    const std::uint64_t types = candidates[i].types;
    if (!name) {
      any_name_types |= types;
      for (std::size_t type = 0; type < any_name.size(); ++type) {
        if ((types >> type & 1) != 0) any_name[type].push_back(i);
      }
      return;
    }
    if (const auto exact = name->exact_strings()) {
      for (const std::string_view one : *exact) {
        auto& list = by_name[std::string(one)];
        // The same name may stand twice in a filter's list.
        if (list.empty() || list.back() != i) list.push_back(i);
      }
      return;
    }
    by_condition.push_back(i);
    if (name->holds(Value{})) {
      nameless.by.push_back(i);
      nameless.types |= types;
    }
  }

  // The number in `wanted` for a name.
  std::uint32_t look_up(std::string_view name) {
    const std::uint32_t number = names.intern(name);
    if (number < wanted.size()) return number;
    Wanted found;
    if (const auto exact = by_name.find(name); exact != by_name.end()) found.by = exact->second;
    const std::size_t middle = found.by.size();
    for (const std::uint32_t i : by_condition) {
      if (subscriptions[i].filter.name()->holds(Value::of(name))) found.by.push_back(i);
    }
    std::inplace_merge(found.by.begin(), found.by.begin() + static_cast<std::ptrdiff_t>(middle),
                       found.by.end());
    for (const std::uint32_t i : found.by) found.types |= candidates[i].types;
    wanted.push_back(std::move(found));
    return number;
  }

  void start_batch(const BatchView& batch) {
    if (names.count() >= names_kept_max || names.bytes().size() >= name_bytes_kept_max) {
      names.clear();
      wanted.clear();
    }
    verdicts.next_batch();
    types_of.assign(batch.string_count() + 1, not_known);
    types_of.back() = nameless.types | any_name_types;
    if (wanted_of.size() < types_of.size()) wanted_of.resize(types_of.size());
  }

  bool holds(std::uint32_t i, const BatchView& batch, std::uint32_t row) {
    const Candidate& candidate = candidates[i];
    if (candidate.uuid != 0 && !verdicts.get(candidate.uuid, batch.uuids()[row], [&] {
          return subscriptions[i].filter.uuid()->holds(text_or_absent(batch, batch.uuids()[row]));
        })) {
      return false;
    }
    if (candidate.hostname != 0 && !verdicts.get(candidate.hostname, batch.hostnames()[row], [&] {
          return subscriptions[i].filter.hostname()->holds(
              text_or_absent(batch, batch.hostnames()[row]));
        })) {
      return false;
    }
    if (candidate.labels != 0 && !verdicts.get(candidate.labels, batch.labels()[row], [&] {
          return labels_hold(subscriptions[i].filter, batch, batch.labels()[row]);
        })) {
      return false;
    }
    return !candidate.asks_rest || rest_holds(i, batch, row);
  }

  bool labels_hold(const Filter& filter, const BatchView& batch, std::uint32_t set) {
    scratch.clear();
    for (std::uint32_t i = 0, size = batch.label_count(set); i < size; ++i)
      scratch.push_back(batch.label(set, i));
    return filter.labels_match(scratch);
  }

  bool rest_holds(std::uint32_t i, const BatchView& batch, std::uint32_t row) {
    if (candidates[i].asks_whole)
      return subscriptions[i].filter.rest_matches(batch.message(row, scratch));
    MessageView part;
    part.value = batch.value(row);
    if (batch.fields()[row] != BatchView::none) part.fields = batch.blob(batch.fields()[row]);
    return subscriptions[i].filter.rest_matches(part);
  }

  // Whether the trigger derived this row itself and does not want such.
  bool unwanted_own(std::uint32_t i, const BatchView& batch, std::uint32_t origin) const {
    return !candidates[i].own && batch.origin(origin).trigger == subscriptions[i].trigger_name;
  }

  void offer(const std::vector<std::uint32_t>& to, std::uint64_t bit, const BatchView& batch,
             std::uint32_t row, std::vector<std::vector<Match>>& by_trigger,
             std::vector<std::uint32_t>& matched) {
    const std::uint32_t origin = batch.origins()[row];
    if (origin != BatchView::none && batch.origin(origin).correction) return;
    for (const std::uint32_t i : to) {
      const Candidate& candidate = candidates[i];
      if ((candidate.types & bit) == 0) continue;
      if (candidate.asks && !holds(i, batch, row)) continue;
      if (origin != BatchView::none && unwanted_own(i, batch, origin)) continue;
      const Match match{row, candidate.callback};
      std::vector<Match>& matches = by_trigger[candidate.trigger];
      if (matches.empty()) {
        matched.push_back(candidate.trigger);
      } else if (match < matches.back()) {
        // Named and any-name subscriptions come one list after the other.
        matches.insert(std::ranges::upper_bound(matches, match), match);
        continue;
      }
      matches.push_back(match);
    }
  }
};

Router::Router() : index_(std::make_unique<Index>(std::vector<Subscription>())) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::build(std::vector<Subscription> subscriptions) {
  index_ = std::make_unique<Index>(std::move(subscriptions));
}

void Router::route(const BatchView& batch, std::uint32_t from_row, Routed& out) {
  Index& index = *index_;
  for (const std::uint32_t trigger : out.triggers_) out.by_trigger_[trigger].clear();
  out.triggers_.clear();
  if (out.by_trigger_.size() < index.triggers) out.by_trigger_.resize(index.triggers);
  index.start_batch(batch);

  const std::span<const std::uint8_t> types = batch.types();
  const std::span<const std::uint32_t> names = batch.names();
  const std::uint32_t nameless_at = batch.string_count();
  for (std::uint32_t row = from_row; row < batch.count(); ++row) {
    const std::uint64_t bit = type_bit(types[row]);
    const std::uint32_t name = std::min(names[row], nameless_at);
    std::uint64_t wanted = index.types_of[name];
    if ((wanted & (bit | not_known)) == 0) continue;
    if (bit == 0) continue;
    if (wanted == not_known) {
      index.wanted_of[name] = index.look_up(batch.string(name));
      wanted = index.types_of[name] =
          index.wanted[index.wanted_of[name]].types | index.any_name_types;
      if ((wanted & bit) == 0) continue;
    }
    const Wanted& named =
        name == nameless_at ? index.nameless : index.wanted[index.wanted_of[name]];
    if ((named.types & bit) != 0)
      index.offer(named.by, bit, batch, row, out.by_trigger_, out.triggers_);
    if ((index.any_name_types & bit) != 0) {
      index.offer(index.any_name[types[row]], bit, batch, row, out.by_trigger_, out.triggers_);
    }
  }
  std::ranges::sort(out.triggers_);
}

}  // namespace hastur
