#include "trigger-test/filter_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json.h"
#include "core/suggest.h"

namespace hastur {
namespace {

struct Bound {
  const char* key;
  const char* words;
};
constexpr std::array bounds = {Bound{"above", "above"}, Bound{"at_least", "at least"},
                               Bound{"below", "below"}, Bound{"at_most", "at most"}};

// A difference, without the digits that binary fractions add.
std::string rough(double number) { return fmt::format("{:.6g}", number); }

const char* kind_of(const Json& value) {
  if (value.is_string()) return "a text";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "a boolean";
  if (value.is_null()) return "null";
  return "a table";
}

std::string too_far(const Json& range, double found) {
  for (const Bound& bound : bounds) {
    const auto limit = range.find(bound.key);
    if (limit == range.end() || !limit->is_number()) continue;
    const std::string_view key = bound.key;
    const double off = found - limit->get<double>();
    const bool is_lower = key == "above" || key == "at_least";
    const bool holds = key == "above"      ? off > 0
                       : key == "at_least" ? off >= 0
                       : key == "below"    ? off < 0
                                           : off <= 0;
    if (holds) continue;
    if (off == 0) return fmt::format("just not {}", bound.words);
    return fmt::format("{} too {}", rough(is_lower ? -off : off), is_lower ? "low" : "high");
  }
  return "";
}

Json asked(const Filter& filter, const std::string& key) {
  constexpr std::string_view label = "labels.";
  const bool is_label = key.starts_with(label);
  const Result<Json> whole = parse_json(filter.asked(is_label ? "labels" : key));
  if (!whole) return {};
  if (!is_label) return *whole;
  const auto found = whole->find(key.substr(label.size()));
  return found == whole->end() ? Json() : *found;
}

std::string listed(const Json& options) {
  std::string words;
  for (const Json& option : options) {
    words += (words.empty() ? "" : ", ") +
             (option.is_object() ? wanted_words(option) : canonical_json(option));
  }
  return words;
}

// Other than elsewhere, a list asks for all of them.
std::string missing_attn(const Json& wanted, const Json& found) {
  Json missing = Json::array();
  const Json all = wanted.is_array() ? wanted : Json::array({wanted});
  for (const Json& one : all) {
    if (!found.is_array() || std::ranges::find(found, one) == found.end()) missing.push_back(one);
  }
  if (missing.size() == all.size()) return "";
  return fmt::format("{} {} missing", listed(missing), missing.size() == 1 ? "is" : "are");
}

KeyVerdict verdict_of(const Filter& filter, const Filter::Verdict& judged) {
  KeyVerdict verdict{judged.key, judged.holds, judged.found, "", ""};
  if (judged.key == "none_of") {
    verdict.wanted = "none";
    if (!judged.holds) verdict.found = "matched by filter " + judged.found;
    return verdict;
  }
  const Json condition = asked(filter, judged.key);
  verdict.wanted = wanted_words(condition);
  if (judged.key == "attn" && condition.is_array() && condition.size() > 1)
    verdict.wanted = "all of " + listed(condition);
  if (judged.holds || judged.found == "absent") return verdict;
  const Result<Json> found = parse_json(judged.found);
  if (!found) return verdict;
  verdict.far = judged.key == "attn" ? missing_attn(condition, *found) : how_far(condition, *found);
  return verdict;
}

}  // namespace

std::string wanted_words(const Json& condition) {
  if (condition.is_boolean()) return condition == true ? "any" : "absent";
  if (condition.is_array()) {
    return (condition.size() == 1 ? "" : "one of ") + listed(condition);
  }
  if (!condition.is_object()) return canonical_json(condition);
  std::string words;
  for (const Bound& bound : bounds) {
    const auto limit = condition.find(bound.key);
    if (limit == condition.end()) continue;
    words +=
        fmt::format("{}{} {}", words.empty() ? "" : " and ", bound.words, canonical_json(*limit));
  }
  return words.empty() ? canonical_json(condition) : words;
}

std::string how_far(const Json& condition, const Json& found) {
  if (condition.is_object()) {
    if (!found.is_number()) return fmt::format("{}, not a number", kind_of(found));
    return too_far(condition, found.get<double>());
  }
  if (condition.is_array() || condition.is_boolean() || condition.is_null()) return "";
  if (std::string_view(kind_of(condition)) != kind_of(found))
    return fmt::format("{}, not {}", kind_of(found), kind_of(condition));
  if (condition.is_number()) {
    const double off = found.get<double>() - condition.get<double>();
    return fmt::format("{} too {}", rough(off < 0 ? -off : off), off < 0 ? "low" : "high");
  }
  if (!condition.is_string()) return "";
  const std::array known{condition.get<std::string>()};
  return nearest(found.get<std::string>(), known).empty() ? "" : "nearly the same";
}

std::string KeyVerdict::sentence() const {
  std::string text = key == "none_of" ? "none_of is " + found
                                      : fmt::format("{} is {}, wanted {}", key, found, wanted);
  if (!far.empty()) text += ": " + far;
  return text;
}

std::size_t Judgement::refused() const {
  return static_cast<std::size_t>(std::ranges::count(keys, false, &KeyVerdict::holds));
}

bool Judgement::is_near() const {
  if (!takes_type || refused() != 1) return false;
  const auto refused_by = std::ranges::find(keys, false, &KeyVerdict::holds);
  // Another name is another thing; and of a single key nothing else says that it was meant.
  return refused_by->key == "name" || keys.size() == 1 ? !refused_by->far.empty() : true;
}

bool Judgement::is_of_another_name() const {
  return std::ranges::any_of(
      keys, [](const KeyVerdict& each) { return each.key == "name" && !each.holds; });
}

FilterJudge::FilterJudge(const Loaded& loaded) {
  for (const SubscriptionSpec& spec : loaded.subscriptions) {
    const Result<Json> json = parse_json(spec.filter);
    if (!json) continue;
    Result<Filter> filter = Filter::parse(*json);
    if (filter) all_.push_back({&spec, std::move(*filter)});
  }
}

std::vector<Judgement> FilterJudge::judge(const MessageView& message) const {
  std::vector<Judgement> judgements;
  for (const One& one : all_) {
    Judgement judgement;
    judgement.subscription = one.spec;
    const auto& types = one.spec->types;
    judgement.takes_type = types.empty() || std::ranges::find(types, message.type) != types.end();
    if (judgement.takes_type) {
      for (const Filter::Verdict& each : one.filter.explain(message))
        judgement.keys.push_back(verdict_of(one.filter, each));
    }
    judgements.push_back(std::move(judgement));
  }
  return judgements;
}

bool FilterJudge::any_takes(const MessageView& message) const {
  return std::ranges::any_of(all_, [&](const One& one) {
    const auto& types = one.spec->types;
    return (types.empty() || std::ranges::find(types, message.type) != types.end()) &&
           one.filter.matches(message);
  });
}

}  // namespace hastur
