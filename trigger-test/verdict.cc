#include "trigger-test/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "core/json.h"
#include "message/filter.h"
#include "trigger-test/matching.h"
#include "trigger-test/message_words.h"

namespace hastur {
namespace {

using Kind = Expectation::Kind;

std::string shown(const Json* json) {
  return json == nullptr || json->is_null() ? "" : canonical_json(*json);
}

Json json_of(const std::string& text) {
  Result<Json> json = parse_json(text);
  return json ? std::move(*json) : Json::object();
}

// How a test spells the trigger's incident keys.
class KeySpelling {
 public:
  KeySpelling(const TriggerName& trigger, const TestCase& test) : own_(trigger + "/") {
    for (const Expectation& each : test.expect) {
      const std::string key = entry_text(each.wanted, "key");
      if (each.kind == Kind::notification && key.starts_with(own_)) in_full_.insert(key);
    }
  }

  // Before it is asked: a key that came, as it is.
  void note(const std::string& key) { came_.insert(key); }

  void spell(Came& came) const {
    const std::string full = entry_text(came.what, "key");
    if (!full.starts_with(own_)) return;
    const std::string without = full.substr(own_.size());
    if (came_.contains(without)) return;
    const bool stays = in_full_.contains(full);
    came.other_key = stays ? without : full;
    if (!stays) came.what["key"] = without;
  }

 private:
  const std::string own_;
  std::set<std::string> in_full_;
  std::set<std::string> came_;
};

void take_notification(Came& came, const KeySpelling& spelling) {
  spelling.spell(came);
  const Json& options = came.what["options"];
  came.what["action"] = options.value("action", "trigger");
  if (options.contains("severity")) came.what["severity"] = options["severity"];
  const std::string action = entry_text(came.what, "action");
  const std::string kind = entry_text(came.what, "kind");
  const std::string key = entry_text(came.what, "key");
  if (key.empty()) {
    came.title = fmt::format("notification {} \"{}\"", kind, entry_text(came.what, "text"));
  } else if (action != "trigger") {
    came.title = fmt::format("{} {}", action, key);
  } else {
    came.title =
        kind == "pager_duty" ? "page " + key : fmt::format("notification {} {}", kind, key);
  }
}

Came came_of(const Seen& seen, const KeySpelling& spelling, Time start, const Nicknames& names) {
  Came came;
  came.at = seen.time - start;
  came.input = seen.input;
  if (seen.error) {
    const ScriptError& error = seen.error->error;
    came.kind = Kind::error;
    came.what = {{"text", names.read(error.text)}, {"script", error.script}, {"line", error.line}};
    came.title = "error " + entry_text(came.what, "text");
    return came;
  }
  came.what = json_of(names.read(seen.effect->payload));
  switch (seen.effect->kind) {
    case EffectKind::notification:
      came.kind = Kind::notification;
      take_notification(came, spelling);
      break;
    case EffectKind::message:
    case EffectKind::report:
      came.kind = Kind::message;
      came.title = "message " + entry_text(came.what, "name");
      if (came.what.contains("value")) came.title += " = " + entry_text(came.what, "value");
      break;
    case EffectKind::log:
      came.kind = Kind::log;
      came.title = "log " + entry_text(came.what, "text");
      break;
  }
  return came;
}

bool same_number(double a, double b) {
  return a == b || std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b));
}

bool same_scalar(const Json& wanted, const Json& got) {
  if (wanted.is_number() && got.is_number())
    return same_number(wanted.get<double>(), got.get<double>());
  if (wanted.is_string() && got.is_string()) {
    const auto& text = got.get_ref<const std::string&>();
    const auto& pattern = wanted.get_ref<const std::string&>();
    return pattern == text || wildcard_match(pattern, text);
  }
  return wanted == got;
}

// Of Lua an empty table is {} whatever it is meant to be.
bool is_empty_table(const Json& json) { return json.is_structured() && json.empty(); }

void compare(const std::string& path, const Json* wanted, const Json* got, bool whole,
             std::vector<Difference>& out) {
  if (wanted != nullptr && wanted->is_null()) wanted = nullptr;
  if (got != nullptr && got->is_null()) got = nullptr;
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (wanted != nullptr && got != nullptr) {
    if (is_empty_table(*wanted) && is_empty_table(*got)) return;
    if (wanted->is_object() && got->is_object()) {
      for (const auto& [key, value] : wanted->items()) {
        const auto found = got->find(key);
        compare(below(key), &value, found == got->end() ? nullptr : &*found, whole, out);
      }
      for (const auto& [key, value] : got->items()) {
        if (whole && !wanted->contains(key)) compare(below(key), nullptr, &value, whole, out);
      }
      return;
    }
    if (wanted->is_array() && got->is_array()) {
      for (std::size_t i = 0; i < std::max(wanted->size(), got->size()); ++i) {
        compare(fmt::format("{}[{}]", path, i + 1), i < wanted->size() ? &(*wanted)[i] : nullptr,
                i < got->size() ? &(*got)[i] : nullptr, whole, out);
      }
      return;
    }
    if (same_scalar(*wanted, *got)) return;
  }
  if (wanted == got) return;
  out.push_back({path, shown(wanted), shown(got)});
}

bool in_time(const Expectation& expectation, const Came& came) {
  return (!expectation.from || came.at >= *expectation.from) &&
         (!expectation.to || came.at <= *expectation.to);
}

Micros time_off(const Expectation& expectation, const Came& came) {
  if (expectation.from && came.at < *expectation.from) return *expectation.from - came.at;
  if (expectation.to && came.at > *expectation.to) return came.at - *expectation.to;
  return Micros{0};
}

// Whether it is plainly another thing: of many expectations and effects this is told of most pairs.
bool is_another(const Expectation& expectation, const Came& came) {
  const char* name = subject_of(expectation.kind);
  const auto wanted = expectation.wanted.find(name);
  const auto got = came.what.find(name);
  if (wanted == expectation.wanted.end() || got == came.what.end() || !wanted->is_string() ||
      !got->is_string())
    return false;
  const auto& text = wanted->get_ref<const std::string&>();
  return text.find('*') == std::string::npos && text != got->get_ref<const std::string&>() &&
         text != came.other_key;
}

// Whether it may be what was meant, as far as kind, action and key of a notification tell, the name
// of anything else. At another time these must agree; at the right one it may be of another name,
// or else the same incident told in another way.
bool may_be_near(const Expectation& expectation, const Came& came,
                 const std::vector<Difference>& differs) {
  const auto differ = [&](std::string_view path) {
    return std::ranges::find(differs, path, &Difference::path) != differs.end();
  };
  const char* subject = subject_of(expectation.kind);
  const bool is_another_way =
      expectation.kind == Kind::notification && (differ("kind") || differ("action"));
  if (time_off(expectation, came) != Micros{0}) return !differ(subject) && !is_another_way;
  return !is_another_way || (expectation.wanted.contains(subject) && !differ(subject));
}

// What may be compared to find what came nearest to what did not come. The first misses tell it;
// those of thousands that are left say only that they did not come.
constexpr std::size_t comparisons_max = 1'000'000;

class Judge {
 public:
  Judge(const TestCase& test, const std::vector<Came>& came, Micros end)
      : test_(test), came_(came), end_(end), index_(came, end), taken_(came.size(), false) {}

  Verdict run() {
    const auto matches = match(test_, came_, index_);
    std::vector<const Expectation*> open;
    for (const int precision : {2, 1, 0}) {
      for (std::size_t i = 0; i < test_.expect.size(); ++i) {
        const Expectation& each = test_.expect[i];
        if (each.never || each.kind == Kind::state || precision_of(each) != precision) continue;
        if (!matches[i]) {
          open.push_back(&each);
          continue;
        }
        taken_[*matches[i]] = true;
        verdict_.pairings.push_back({&each, &came_[*matches[i]], true});
      }
    }
    tell_missing(open);
    for (const Expectation& each : test_.expect) {
      if (each.never) look_for_forbidden(each);
    }
    for (std::size_t i = 0; i < came_.size(); ++i) {
      if (taken_[i] || came_[i].at > end_) continue;
      if (!test_.nothing_else && came_[i].kind != Kind::error) {
        continue;
      }
      verdict_.misses.push_back({Miss::What::unexpected, nullptr, &came_[i], {}});
      verdict_.pairings.push_back({nullptr, &came_[i], false});
    }
    std::ranges::stable_sort(verdict_.pairings, {}, [](const Pairing& pairing) {
      if (pairing.expectation != nullptr && pairing.expectation->from)
        return *pairing.expectation->from;
      return pairing.came != nullptr ? pairing.came->at : Micros::max();
    });
    return std::move(verdict_);
  }

 private:
  // Misses of moments are told first.
  static int precision_of(const Expectation& expectation) {
    if (!expectation.from) return 0;
    return expectation.from == expectation.to ? 2 : 1;
  }

  // How near two are that do not match: by what they are, then by the time, then by the rest.
  struct Near {
    std::tuple<std::size_t, Micros, std::size_t> distance;
    std::size_t open = 0;
    std::size_t came = 0;
  };

  // Beside each is shown what came nearest to it; of two that want the same, the nearer has it.
  void tell_missing(const std::vector<const Expectation*>& open) {
    std::vector<Near> all = near_ones(open);
    std::ranges::stable_sort(all, {}, &Near::distance);
    std::vector<const Came*> nearest(open.size(), nullptr);
    for (const Near& each : all) {
      if (nearest[each.open] != nullptr || taken_[each.came]) continue;
      nearest[each.open] = &came_[each.came];
      taken_[each.came] = true;
    }
    for (std::size_t i = 0; i < open.size(); ++i) {
      Miss miss{Miss::What::missing, open[i], nearest[i], {}};
      if (miss.came != nullptr) miss.differences = differences(*open[i], *miss.came);
      verdict_.pairings.push_back({open[i], miss.came, false});
      verdict_.misses.push_back(std::move(miss));
    }
  }

  std::vector<Near> near_ones(const std::vector<const Expectation*>& open) const {
    std::vector<Near> all;
    std::size_t comparisons = 0;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const Expectation& expectation = *open[i];
      for (std::size_t k = 0; k < came_.size(); ++k) {
        const Came& came = came_[k];
        if (comparisons++ >= comparisons_max) return all;
        if (taken_[k] || came.kind != expectation.kind) continue;
        // Another thing at another time is not near.
        if (!in_time(expectation, came) && is_another(expectation, came)) continue;
        const auto differs = differences(expectation, came);
        if (!may_be_near(expectation, came, differs)) continue;
        const auto of_identity =
            static_cast<std::size_t>(std::ranges::count_if(differs, [&](const Difference& each) {
              return each.path == subject_of(came.kind) ||
                     (came.kind == Kind::notification &&
                      (each.path == "kind" || each.path == "action"));
            }));
        all.push_back({{of_identity, time_off(expectation, came), differs.size()}, i, k});
      }
    }
    return all;
  }

  void look_for_forbidden(const Expectation& expectation) {
    for (const std::uint32_t i : index_.possible(expectation)) {
      if (!is_meant(expectation, came_[i])) continue;
      taken_[i] = true;
      verdict_.misses.push_back({Miss::What::forbidden, &expectation, &came_[i], {}});
      verdict_.pairings.push_back({nullptr, &came_[i], false});
    }
  }

  const TestCase& test_;
  const std::vector<Came>& came_;
  const Micros end_;
  const CameIndex index_;
  std::vector<bool> taken_;
  Verdict verdict_;
};

}  // namespace

std::vector<Came> what_came(const Outcome& outcome, const TriggerName& trigger,
                            const TestCase& test, const Nicknames& names) {
  KeySpelling spelling(trigger, test);
  for (const Seen& seen : outcome.seen) {
    if (seen.effect && seen.effect->kind == EffectKind::notification)
      spelling.note(entry_text(json_of(names.read(seen.effect->payload)), "key"));
  }
  std::vector<Came> all;
  for (const Seen& seen : outcome.seen) {
    // It says again what errors said.
    if (seen.effect && seen.effect->kind == EffectKind::report) continue;
    Came came = came_of(seen, spelling, test.start, names);
    if (!all.empty() && all.back().input == came.input) came.ordinal = all.back().ordinal + 1;
    all.push_back(std::move(came));
  }
  return all;
}

const char* subject_of(Expectation::Kind kind) {
  switch (kind) {
    case Kind::notification:
      return "key";
    case Kind::message:
      return "name";
    default:
      return "text";
  }
}

bool is_meant(const Expectation& expectation, const Came& came) {
  return expectation.kind == came.kind && in_time(expectation, came) &&
         !is_another(expectation, came) && differences(expectation, came).empty();
}

bool Miss::is_of_another() const {
  return std::ranges::any_of(differences, [this](const Difference& each) {
    return expectation != nullptr && each.path == subject_of(expectation->kind);
  });
}

std::vector<Difference> differences(const Expectation& expectation, const Came& came) {
  auto found = differences(expectation.wanted, came.what);
  if (found.empty() || came.other_key.empty()) return found;
  // Whoever writes the key in the other way means the same.
  Json other = came.what;
  other["key"] = came.other_key;
  auto in_other = differences(expectation.wanted, other);
  return in_other.size() < found.size() ? in_other : found;
}

std::vector<Difference> differences(const Json& wanted, const Json& got, bool whole) {
  std::vector<Difference> all;
  compare("", &wanted, &got, whole, all);
  return all;
}

Verdict judge(const TestCase& test, const std::vector<Came>& came, Micros end) {
  return Judge(test, came, end).run();
}

std::string when(const Expectation& expectation) {
  if (!expectation.from) return "any time";
  if (expectation.from == expectation.to) return format_offset(*expectation.from);
  return fmt::format("{} to {}", format_offset(*expectation.from), format_offset(*expectation.to));
}

std::string sentence(const Miss& miss) {
  if (miss.what == Miss::What::unexpected) {
    return fmt::format("{} came at {} and was not expected", miss.came->title,
                       format_offset(miss.came->at));
  }
  const Expectation& expectation = *miss.expectation;
  if (miss.what == Miss::What::forbidden) {
    return fmt::format("{} came at {} and must never come", miss.came->title,
                       format_offset(miss.came->at));
  }
  if (miss.came == nullptr) {
    return expectation.from
               ? fmt::format("{} did not come at {}", expectation.title, when(expectation))
               : fmt::format("{} never came", expectation.title);
  }
  std::string text = expectation.title;
  if (!in_time(expectation, *miss.came)) {
    const bool late = miss.came->at > *expectation.to;
    text += fmt::format(": fired at {}, expected {} ({} {})", format_offset(miss.came->at),
                        when(expectation), format_span(time_off(expectation, *miss.came)),
                        late ? "late" : "early");
  } else if (miss.differences.empty()) {
    text += fmt::format(": fired at {}, after the end of the test", format_offset(miss.came->at));
  } else {
    text += fmt::format(" at {}", format_offset(miss.came->at));
  }
  const char* separator = in_time(expectation, *miss.came) ? ": " : "; ";
  for (const Difference& each : miss.differences) {
    text += fmt::format("{}{} is {}, expected {}", separator, each.path,
                        each.got.empty() ? "absent" : each.got,
                        each.wanted.empty() ? "none" : each.wanted);
    separator = "; ";
  }
  return text;
}

}  // namespace hastur
