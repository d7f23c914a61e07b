#include "trigger-test/shrink.h"

#include <algorithm>

#include "core/json.h"

namespace hastur {
namespace {

class Shrinker {
 public:
  Shrinker(TestCase test, std::size_t tries, const StillFails& still_fails)
      : test_(std::move(test)), tries_(tries), still_fails_(still_fails) {}

  Result<TestCase> run() {
    HASTUR_TRY(drop_messages());
    HASTUR_TRY(move_to_start());
    HASTUR_TRY(drop_fields());
    return std::move(test_);
  }

 private:
  Result<bool> take_if_it_fails(TestCase smaller) {
    if (tries_ == 0) return false;
    --tries_;
    Result<bool> fails = still_fails_(smaller);
    if (fails && *fails) test_ = std::move(smaller);
    return fails;
  }

  // Leaves out a part of the messages, then halves the parts.
  Result<void> drop_messages() {
    // Most faults need only the message at which they show.
    if (test_.messages.size() > 1) {
      TestCase last = test_;
      last.messages.erase(last.messages.begin(), last.messages.end() - 1);
      const Result<bool> fails = take_if_it_fails(std::move(last));
      if (!fails) return fail(fails.error());
    }
    for (std::size_t parts = 2; test_.messages.size() > 1 && tries_ > 0;) {
      const std::size_t count = test_.messages.size();
      const std::size_t size = (count + parts - 1) / parts;
      bool dropped = false;
      // From the end: what comes after the fault is of no use.
      for (std::size_t end = count; end > 0 && !dropped; end -= std::min(end, size)) {
        TestCase smaller = test_;
        const auto begin = smaller.messages.begin();
        const std::size_t first = end - std::min(end, size);
        smaller.messages.erase(begin + static_cast<std::ptrdiff_t>(first),
                               begin + static_cast<std::ptrdiff_t>(end));
        const Result<bool> fails = take_if_it_fails(std::move(smaller));
        if (!fails) return fail(fails.error());
        dropped = *fails;
      }
      if (dropped) {
        parts = std::max<std::size_t>(parts - 1, 2);
      } else {
        if (size == 1) break;
        parts = std::min(parts * 2, count);
      }
    }
    return {};
  }

  Result<void> move_to_start() {
    if (test_.messages.empty()) return {};
    // A tick begins with the span that lies before it.
    Micros by = Micros::max();
    for (const MessageSpec& spec : test_.messages)
      by = std::min(by, spec.at - std::max(spec.deaf, spec.lost));
    TestCase moved = test_;
    moved.start = time_from_us(test_start_us);
    for (MessageSpec& spec : moved.messages) {
      spec.at -= by;
      if (spec.timestamp) spec.timestamp = std::max(*spec.timestamp - by, Micros{0});
    }
    moved.ends = std::max(moved.ends - by, Micros{0});
    TestCase shorter = moved;
    shorter.ends = Micros{0};
    Result<bool> fails = take_if_it_fails(std::move(shorter));
    if (fails && !*fails) {
      // Or the calendar is why it fails.
      TestCase later = moved;
      later.start = test_.start + by;
      fails = take_if_it_fails(std::move(moved));
      if (fails && !*fails && by % std::chrono::seconds{1} == Micros{0})
        fails = take_if_it_fails(std::move(later));
    }
    return fails ? Result<void>() : fail(fails.error());
  }

  Result<void> drop_fields() {
    for (std::size_t i = 0; i < test_.messages.size(); ++i) {
      for (const char* key : {"hostname", "timeout", "class"}) {
        if (!test_.messages[i].fields.contains(key)) continue;
        TestCase smaller = test_;
        smaller.messages[i].fields.erase(key);
        const auto fails = take_if_it_fails(std::move(smaller));
        if (!fails) return fail(fails.error());
      }
      const Json labels = test_.messages[i].fields.value("labels", Json::object());
      if (!labels.is_object()) continue;
      for (const auto& [key, unused] : labels.items()) {
        TestCase smaller = test_;
        Json& left = smaller.messages[i].fields["labels"];
        left.erase(key);
        if (left.empty()) smaller.messages[i].fields.erase("labels");
        const auto fails = take_if_it_fails(std::move(smaller));
        if (!fails) return fail(fails.error());
      }
    }
    return {};
  }

  TestCase test_;
  std::size_t tries_;
  const StillFails& still_fails_;
};

}  // namespace

Result<TestCase> shrink(TestCase test, std::size_t tries_max, const StillFails& still_fails) {
  return Shrinker(std::move(test), tries_max, still_fails).run();
}

}  // namespace hastur
