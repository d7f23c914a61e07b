#pragma once

// Which expectation takes which of the things that came, so that as many as possible have one.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "trigger-test/verdict.h"

namespace hastur {

// Those that came, by kind and name, in the order in which they came. `came` outlives it; nothing
// after `end` is in it.
class CameIndex {
 public:
  CameIndex(const std::vector<Came>& came, Micros end);

  // Those that may be meant by an expectation as far as its name and its time tell.
  std::span<const std::uint32_t> possible(const Expectation& expectation) const;

 private:
  const std::vector<Came>& came_;
  // Of each kind: all, and those of one name.
  struct OfKind {
    std::vector<std::uint32_t> all;
    std::unordered_map<std::string, std::vector<std::uint32_t>> named;
  };
  std::vector<OfKind> kinds_;
  // They came in order of time.
  bool in_order_ = true;
};

// By expectation of the test, what it takes; nothing for one that is left without, for states and
// for what must never come. The same expectations and things in another order leave as many
// without, as long as that takes no more than some millions of comparisons.
std::vector<std::optional<std::uint32_t>> match(const TestCase& test, const std::vector<Came>& came,
                                                const CameIndex& index);

}  // namespace hastur
