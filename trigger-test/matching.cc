#include "trigger-test/matching.h"

#include <algorithm>
#include <limits>
#include <span>
#include <tuple>

namespace hastur {
namespace {

constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();

// What the search for other ways may compare: a second's work. Beyond it the first choice stands.
constexpr std::size_t comparisons_max = 2'000'000;

// The more an expectation says, the fewer can be meant: it chooses first. By time (a moment, a
// span, any), then by what it names, then without `*`.
std::tuple<int, int, int> precision_of(const Expectation& expectation) {
  const int of_time = !expectation.from ? 0 : expectation.from == expectation.to ? 2 : 1;
  const auto texts = std::ranges::count_if(expectation.wanted, [](const Json& each) {
    return !each.is_string() || each.get_ref<const std::string&>().find('*') == std::string::npos;
  });
  return {of_time, static_cast<int>(expectation.wanted.size()), static_cast<int>(texts)};
}

class Matching {
 public:
  Matching(const TestCase& test, const std::vector<Came>& came, const CameIndex& index)
      : test_(test),
        came_(came),
        index_(index),
        taken_(test.expect.size()),
        owner_(came.size(), nobody),
        is_seen_(came.size(), false) {}

  std::vector<std::optional<std::uint32_t>> run() {
    std::vector<std::uint32_t> in_turn;
    for (std::uint32_t i = 0; i < test_.expect.size(); ++i) {
      const Expectation& each = test_.expect[i];
      if (!each.never && each.kind != Expectation::Kind::state) in_turn.push_back(i);
    }
    std::ranges::stable_sort(in_turn, std::greater<>{},
                             [this](std::uint32_t i) { return precision_of(test_.expect[i]); });
    std::erase_if(in_turn, [this](std::uint32_t i) { return take_free(i); });
    // Those that are left without one.
    for (const std::uint32_t i : in_turn) {
      if (comparisons_ < comparisons_max) make_room(i);
    }
    return std::move(taken_);
  }

 private:
  bool fits(std::uint32_t expectation, std::uint32_t came) {
    ++comparisons_;
    return is_meant(test_.expect[expectation], came_[came]);
  }

  void give(std::uint32_t expectation, std::uint32_t came) {
    taken_[expectation] = came;
    owner_[came] = expectation;
  }

  // The first choice costs what it costs: it is not counted.
  bool take_free(std::uint32_t expectation) {
    for (const std::uint32_t came : index_.possible(test_.expect[expectation])) {
      if (owner_[came] != nobody || !is_meant(test_.expect[expectation], came_[came])) continue;
      give(expectation, came);
      return true;
    }
    return false;
  }

  // Finds a chain of owners who can each take another one, up to one that is free. What a search in
  // vain has seen leads nowhere for others either, and stays seen.
  void make_room(std::uint32_t expectation) {
    // Who asks, and the place in `asking` of whoever wants what this one has.
    struct Asking {
      std::uint32_t expectation;
      std::size_t wanted_by;
    };
    std::vector<Asking> asking = {{expectation, 0}};
    std::vector<std::uint32_t> seen;
    for (std::size_t at = 0; at < asking.size(); ++at) {
      for (const std::uint32_t came : index_.possible(test_.expect[asking[at].expectation])) {
        if (comparisons_ >= comparisons_max) return;
        if (is_seen_[came] || !fits(asking[at].expectation, came)) continue;
        is_seen_[came] = true;
        seen.push_back(came);
        if (owner_[came] != nobody) {
          asking.push_back({owner_[came], at});
          continue;
        }
        hand_on(asking, at, came);
        for (const std::uint32_t each : seen) is_seen_[each] = false;
        return;
      }
    }
  }

  template <typename Chain>
  void hand_on(const Chain& asking, std::size_t at, std::uint32_t free) {
    while (true) {
      const std::uint32_t expectation = asking[at].expectation;
      const std::optional<std::uint32_t> had = taken_[expectation];
      give(expectation, free);
      if (!had) return;
      free = *had;
      at = asking[at].wanted_by;
    }
  }

  const TestCase& test_;
  const std::vector<Came>& came_;
  const CameIndex& index_;
  // By expectation, and by what came.
  std::vector<std::optional<std::uint32_t>> taken_;
  std::vector<std::uint32_t> owner_;
  std::vector<bool> is_seen_;
  std::size_t comparisons_ = 0;
};

}  // namespace

CameIndex::CameIndex(const std::vector<Came>& came, Micros end) : came_(came), kinds_(5) {
  in_order_ = std::ranges::is_sorted(came, {}, &Came::at);
  for (std::uint32_t i = 0; i < came.size(); ++i) {
    if (came[i].at > end) continue;
    OfKind& kind = kinds_[static_cast<std::size_t>(came[i].kind)];
    kind.all.push_back(i);
    const auto name = came[i].what.find(subject_of(came[i].kind));
    if (name == came[i].what.end() || !name->is_string()) continue;
    kind.named[name->get_ref<const std::string&>()].push_back(i);
    if (!came[i].other_key.empty()) kind.named[came[i].other_key].push_back(i);
  }
}

std::span<const std::uint32_t> CameIndex::possible(const Expectation& expectation) const {
  const OfKind& kind = kinds_[static_cast<std::size_t>(expectation.kind)];
  std::span<const std::uint32_t> found = kind.all;
  const auto name = expectation.wanted.find(subject_of(expectation.kind));
  if (name != expectation.wanted.end() && name->is_string()) {
    const auto& text = name->get_ref<const std::string&>();
    if (text.find('*') == std::string::npos) {
      const auto named = kind.named.find(text);
      if (named == kind.named.end()) return {};
      found = named->second;
    }
  }
  if (!expectation.from || !in_order_) return found;
  const auto at = [this](std::uint32_t i) { return came_[i].at; };
  const auto begin = std::ranges::lower_bound(found, *expectation.from, {}, at);
  const auto end =
      expectation.to ? std::ranges::upper_bound(found, *expectation.to, {}, at) : found.end();
  return {begin, std::max(begin, end)};
}

std::vector<std::optional<std::uint32_t>> match(const TestCase& test, const std::vector<Came>& came,
                                                const CameIndex& index) {
  return Matching(test, came, index).run();
}

}  // namespace hastur
