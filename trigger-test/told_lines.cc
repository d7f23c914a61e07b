#include "trigger-test/told_lines.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

namespace hastur {
namespace {

// Of a callback; and how often a line of a loop is told.
constexpr std::size_t lines_max = 24;
constexpr std::size_t times_max = 2;

bool is_head(const RanLine& ran) { return ran.source.starts_with("for "); }

bool has_word(std::string_view text, std::string_view word) {
  const auto is_of_word = [&](std::size_t at) {
    return at < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
  };
  if (word.empty()) return false;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if ((at == 0 || !is_of_word(at - 1)) && !is_of_word(at + word.size())) return true;
  }
  return false;
}

}  // namespace

bool is_about(std::string_view text, std::string_view key) {
  return has_word(text, key) || has_word(key, text);
}

bool is_text_about(std::string_view json, std::string_view key) {
  return json.size() > 2 && json.front() == '"' && is_about(json.substr(1, json.size() - 2), key);
}

bool is_about(const RanLine& ran, std::string_view key) {
  if (key.empty() || is_head(ran)) return false;
  const auto about = [&](const auto& value) { return is_text_about(value.second, key); };
  return std::ranges::any_of(ran.texts, about) || std::ranges::any_of(ran.values, about) ||
         std::ranges::any_of(ran.said, [&](const CallStep::Said& said) {
           return is_about(said.key, key) || is_about(said.alert + "/" + said.key, key);
         });
}

ToldLines told_lines(const std::vector<RanLine>& all, std::string_view key) {
  std::vector<const RanLine*> candidates;
  for (const RanLine& ran : all) {
    if (ran.source == "end" || ran.source == "end)" || ran.source == "else") continue;
    if (!candidates.empty() && candidates.back()->line == ran.line &&
        candidates.back()->values == ran.values)
      continue;
    candidates.push_back(&ran);
  }
  std::vector<bool> chosen(candidates.size());
  std::size_t told = 0;
  const auto choose = [&](bool of_key) {
    std::map<std::pair<std::string, std::uint32_t>, std::size_t> times;
    for (std::size_t i = 0; i < candidates.size() && told < lines_max; ++i) {
      const RanLine& ran = *candidates[i];
      if (is_about(ran, key) != of_key) continue;
      const bool speaks = !ran.said.empty() || ran.effects > 0;
      if (++times[{ran.script, ran.line}] > (is_head(ran) ? 1 : times_max) && !speaks) continue;
      chosen[i] = true;
      ++told;
    }
  };
  if (!key.empty()) choose(true);
  choose(false);

  ToldLines result;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (chosen[i]) {
      result.lines.push_back(candidates[i]);
    } else if (!is_head(*candidates[i])) {
      ++result.left_out;
    }
  }
  return result;
}

}  // namespace hastur
