#pragma once

// Of several faults that a walk over a table meets, the one to tell: the first in the alphabet, as
// the order of the walk differs from VM to VM.

#include <optional>
#include <string>
#include <utility>

namespace hastur {

class LeastText {
 public:
  void add(std::string text) {
    if (!least_ || text < *least_) least_ = std::move(text);
  }
  explicit operator bool() const { return least_.has_value(); }
  // Only if there is one.
  const std::string& operator*() const { return *least_; }

 private:
  std::optional<std::string> least_;
};

}  // namespace hastur
