#include "core/suggest.h"

#include <algorithm>
#include <vector>

namespace hastur {
namespace {

// The optimal string alignment distance (Damerau-Levenshtein without a second change to a swapped
// pair).
std::size_t changes_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// A word longer than this is no typing error, and comparing is quadratic.
constexpr std::size_t word_length_max = 100;

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> known) {
  if (word.size() > word_length_max) return {};
  std::string best;
  std::size_t fewest = word_length_max;
  for (const std::string& candidate : known) {
    if (candidate.size() > word_length_max) continue;
    const std::size_t changes = changes_between(word, candidate);
    const std::size_t allowed =
        std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    if (changes <= allowed && changes < fewest) {
      fewest = changes;
      best = candidate;
    }
  }
  return best;
}

}  // namespace hastur
