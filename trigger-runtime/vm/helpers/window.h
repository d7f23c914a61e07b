#pragma once

// ctx:window: what came in lately, by key; of a span of time (span_window.h) or the last values
// (last_window.h).

#include "trigger-runtime/vm/helpers/helper.h"
#include "trigger-runtime/vm/helpers/summary.h"

namespace hastur {

class Window : public Helper {
 public:
  // Counts up whenever the same calls may give another state: part of a run (commands.h).
  static constexpr int revision = 5;

  // What is kept besides counts and sums: only what the script asks for somewhere.
  struct Kept {
    bool squares = false;
    bool extremes = false;
    bool sketch = false;
  };
  enum class Added : std::uint8_t { taken, too_old, too_large };

  void keep(Kept kept) { kept_ = kept; }
  Kept kept() const { return kept_; }

  // Adds a value of a weight above 0, both finite, that is of time `at`; `now` never goes back. A
  // value that is too old is left out and counted; one with which a sum would be infinite is left
  // out.
  virtual Added add(std::string_view key, double value, double weight, Time at, Time now) = 0;

  // Of a key, over the window or the shorter span that ends now (span_window.h says what it
  // covers). Squares and extremes mean nothing unless they are kept.
  virtual Summary summary(std::uint32_t id, std::optional<Micros> sub, Time now) const = 0;
  // The least value such that `percent` of all are not above it; nothing when empty.
  virtual std::optional<double> percentile(std::uint32_t id, double percent,
                                           std::optional<Micros> sub, Time now) const = 0;
  void drop(std::uint32_t id);

  // How much a summary has to look at, for what it is charged.
  virtual std::size_t parts() const = 0;

 protected:
  explicit Window(std::string name) : Helper("window", std::move(name)) {}
  virtual void forget_series(std::uint32_t id) = 0;

  Kept kept_;
};

// What the text of a script asks for: it names `.min` or `:max(` … somewhere (but math.min and
// math.max).
Window::Kept kept_by_script(std::string_view text);

inline void Window::drop(std::uint32_t id) {
  forget_series(id);
  keys().remove(id);
}

}  // namespace hastur
