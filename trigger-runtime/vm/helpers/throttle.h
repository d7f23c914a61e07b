#pragma once

// ctx:throttle: lets each key pass so often in a span, which begins with the key's first pass.
//
// State of a key: {"n":passes,"t":µs of the first}. A key whose span is over is as if it were not
// there.

#include "trigger-runtime/vm/helpers/helper.h"

namespace hastur {

class Throttle final : public Helper {
 public:
  // Counts up whenever the same calls may give another state: part of a run (commands.h).
  static constexpr int revision = 2;

  struct Options {
    std::uint32_t n = 1;
    Micros per{0};
  };

  Throttle(std::string name, const Options& options)
      : Helper("throttle", std::move(name)), options_(options) {}

  const Options& options() const { return options_; }
  // Whether the key may pass now; then it has. `now` never goes back.
  bool allow(std::string_view key, Time now);

  void settle(Time now) override;
  bool write(std::uint32_t id, std::string& out) const override;

 private:
  bool read_key(std::string_view key, JsonCursor& in, Time now) override;
  bool is_over(std::uint32_t id, Time now) const {
    return keys().time(id) <= to_us(now) - options_.per.count();
  }

  Options options_;
};

}  // namespace hastur
