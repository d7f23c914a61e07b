// Each helper beside a plain and slow model of it, on sequences that chance wrote; the helper is
// written and read back at any point, which must change nothing.

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "core/number.h"
#include "trigger-runtime/vm/helpers/keyed.h"
#include "trigger-runtime/vm/helpers/last_window.h"
#include "trigger-runtime/vm/helpers/span_window.h"
#include "trigger-runtime/vm/helpers/throttle.h"

namespace hastur::testing {
namespace {

int pick(int from, int end) { return *rc::gen::inRange(from, end); }
template <class T>
T one_of(const std::vector<T>& all) {
  return *rc::gen::elementOf(all);
}

std::string number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

// Some short, one longer than an entry holds, one that needs escapes, one empty.
std::string key_of(int i) {
  const std::vector<std::string> keys{
      "a",       "b", "", "host-1", std::string(70, 'x'), "with \"quotes\"", std::string(40, 'y'),
      "\xC3\xA9"};
  return keys[static_cast<std::size_t>(i)];
}
constexpr int keys_count = 8;

std::string json_key(const std::string& key) {
  return key.find('"') == std::string::npos ? key : R"(with \"quotes\")";
}

// The helper's state as canonical JSON.
std::string written(Helper& helper, Time now) {
  helper.settle(now);
  std::string out = "{";
  for (const std::uint32_t id : helper.keys().in_order()) {
    if (out.size() > 1) out += ',';
    out += fmt::format("\"{}\":", json_key(std::string(helper.keys().key(id))));
    EXPECT_TRUE(helper.write(id, out));
  }
  return out + "}";
}

// The next moment: often the same, seldom far off.
void pass(Time& now) {
  now += Micros{one_of<std::int64_t>({0, 0, 1, 300'000, 1'000'000, 2'500'000, 70'000'000})};
}

// Either goes on with the helper or with what is read from its JSON.
template <class H, class Make>
void maybe_restore(std::unique_ptr<H>& helper, Time now, Make make) {
  if (pick(0, 8) != 0) return;
  const std::string before = written(*helper, now);
  std::unique_ptr<H> other = make();
  const std::optional<std::string> fault = other->read(before, now);
  RC_ASSERT(!fault);
  RC_ASSERT(written(*other, now) == before);
  helper = std::move(other);
}

struct TextValues final : KeyValues {
  bool write(std::uint32_t id, std::string& out) const override {
    out += values.at(id);
    return true;
  }
  bool read(std::uint32_t id, std::string_view json) override {
    values[id] = json;
    return true;
  }
  void drop(std::uint32_t id) override { values.erase(id); }
  void clear() override { values.clear(); }
  std::map<std::uint32_t, std::string> values;
};

TEST(KeyedModel, GivesTheSameStateAndDeadlines) {
  struct Entry {
    std::int64_t t = 0;
    bool quiet = false;
    std::string value;
  };
  EXPECT_TRUE(rc::check([] {
    Keyed::Options options;
    if (pick(0, 3) > 0) options.forget = std::chrono::seconds{20};
    if (!options.forget || pick(0, 2) > 0) options.max = static_cast<std::uint32_t>(pick(1, 6));
    const Micros after = std::chrono::seconds{3};
    TextValues values;
    const auto make = [&] {
      auto keyed = std::make_unique<Keyed>("h", options, values);
      keyed->set_silence(after);
      return keyed;
    };
    std::unique_ptr<Keyed> keyed = make();
    std::map<std::string, Entry> model;
    Time now{Micros{1'000'000}};
    std::uint64_t evicted = 0;
    const int steps = pick(1, 150);
    for (int i = 0; i < steps; ++i) {
      pass(now);
      const std::string key = key_of(pick(0, keys_count));
      switch (pick(0, 6)) {
        case 0:
        case 1:
        case 2: {
          const auto there = keyed->touch(key, now);
          const std::uint32_t id = there ? *there : keyed->make(key, now);
          const auto found = model.find(key);
          if (found == model.end() && options.max && model.size() >= *options.max) {
            auto oldest = model.begin();
            for (auto at = model.begin(); at != model.end(); ++at) {
              if (at->second.t < oldest->second.t) oldest = at;
            }
            model.erase(oldest);
            ++evicted;
          }
          model[key].t = to_us(now);
          model[key].quiet = false;
          if (pick(0, 2) == 0) {
            const std::string value = number(pick(0, 100));
            values.values[id] = model[key].value = value;
            keyed->set_has_value(id, true);
          }
          break;
        }
        case 3: {
          const std::uint32_t id = keyed->keys().find(key);
          RC_ASSERT((id != KeyTable::none) == model.contains(key));
          if (id != KeyTable::none) keyed->drop(id);
          model.erase(key);
          break;
        }
        case 4: {
          const Micros deaf = std::chrono::seconds{pick(1, 30)};
          keyed->pass_deaf(deaf, now);
          for (auto& [name, entry] : model) entry.t = std::min(entry.t + deaf.count(), to_us(now));
          break;
        }
        default: {
          std::vector<DueKey> due;
          keyed->collect_due(now, due);
          std::vector<std::string> told;
          for (const DueKey& one : due) {
            if (one.what == DueKey::What::silence && keyed->take_silence(one.key, now))
              told.push_back(fmt::format("{} {}", to_us(one.at), one.key));
          }
          for (const DueKey& one : due) {
            if (one.what == DueKey::What::forget) keyed->forget(one.key, now);
          }
          std::vector<std::string> expected;
          for (auto& [name, entry] : model) {
            if (entry.quiet || entry.t + after.count() > to_us(now)) continue;
            entry.quiet = true;
            expected.push_back(fmt::format("{} {}", entry.t + after.count(), name));
          }
          if (options.forget) {
            std::erase_if(model, [&](const auto& entry) {
              return entry.second.t + options.forget->count() <= to_us(now);
            });
          }
          std::ranges::sort(told);
          std::ranges::sort(expected);
          RC_ASSERT(told == expected);
        }
      }
      // `values` is one: what the old helper keeps there must not outlive it.
      if (pick(0, 8) == 0) {
        const std::string before = written(*keyed, now);
        const std::uint64_t dropped = keyed->dropped();
        evicted -= dropped;
        keyed->clear();
        keyed = make();
        RC_ASSERT(!keyed->read(before, now));
        RC_ASSERT(written(*keyed, now) == before);
      }
      std::string expected = "{";
      for (const auto& [name, entry] : model) {
        if (expected.size() > 1) expected += ',';
        expected +=
            fmt::format("\"{}\":{{{}\"t\":{}{}}}", json_key(name), entry.quiet ? "\"q\":true," : "",
                        entry.t, entry.value.empty() ? "" : ",\"v\":" + entry.value);
      }
      RC_ASSERT(written(*keyed, now) == expected + "}");
      RC_ASSERT(keyed->dropped() == evicted);
    }
  }));
}

TEST(ThrottleModel, LetsTheSamePass) {
  EXPECT_TRUE(rc::check([] {
    const Throttle::Options options{static_cast<std::uint32_t>(pick(1, 4)),
                                    std::chrono::seconds{pick(1, 5)}};
    const auto make = [&] { return std::make_unique<Throttle>("t", options); };
    std::unique_ptr<Throttle> throttle = make();
    // All passes of each key, from the one that began a span.
    std::map<std::string, std::vector<Time>> model;
    Time now{Micros{1'000'000}};
    const int steps = pick(1, 100);
    for (int i = 0; i < steps; ++i) {
      pass(now);
      const std::string key = key_of(pick(0, keys_count));
      std::vector<Time>& passes = model[key];
      if (!passes.empty() && now - passes.front() >= options.per) passes.clear();
      const bool allowed = passes.size() < options.n;
      if (allowed) passes.push_back(now);
      RC_ASSERT(throttle->allow(key, now) == allowed);
      maybe_restore(throttle, now, make);
    }
  }));
}

struct Sample {
  double value;
  double weight;
  Time at;
};

TEST(SpanWindowModel, SumsTheSameValues) {
  EXPECT_TRUE(rc::check([] {
    SpanWindow::Options options;
    options.span = std::chrono::seconds{pick(4, 70)};
    options.slot = Micros{one_of<std::int64_t>({1'000'000, 1'500'000, 4'000'000})};
    const auto make = [&] {
      auto window = std::make_unique<SpanWindow>("w", options);
      window->keep({true, true, true});
      return window;
    };
    std::unique_ptr<SpanWindow> window = make();
    std::map<std::string, std::vector<Sample>> model;
    Time now{std::chrono::hours{1'000}};
    // What is asked of a span is asked from the beginning of the slot in which it begins.
    const auto begin_of = [&](Micros span) {
      const std::int64_t from = to_us(now) - span.count();
      return time_from_us(from - from % options.slot.count());
    };
    std::uint64_t too_old = 0;
    const int steps = pick(1, 150);
    for (int i = 0; i < steps; ++i) {
      pass(now);
      const std::string key = key_of(pick(0, 3));
      if (pick(0, 5) > 0) {
        Sample sample{static_cast<double>(pick(-50, 50)) / 4, static_cast<double>(pick(1, 4)),
                      now - Micros{one_of<std::int64_t>(
                                {0, 0, 1'000'000, 3'000'000, 20'000'000, 90'000'000, -5'000'000})}};
        const Window::Added added = window->add(key, sample.value, sample.weight, sample.at, now);
        sample.at = std::min(sample.at, now);
        const bool old = sample.at < begin_of(options.span);
        RC_ASSERT((added == Window::Added::too_old) == old);
        if (old) {
          ++too_old;
        } else {
          model[key].push_back(sample);
        }
      }
      RC_ASSERT(window->dropped() <= too_old);
      std::optional<Micros> sub;
      if (pick(0, 2) == 0) {
        sub = Micros{pick(1, static_cast<int>(options.span.count() / 500'000) + 1) * 500'000};
      }
      const Time begin = begin_of(sub.value_or(options.span));
      double count = 0;
      double sum = 0;
      double lowest = 1e9;
      double highest = -1e9;
      std::vector<double> all;
      for (const Sample& sample : model[key]) {
        if (sample.at < begin) continue;
        count += sample.weight;
        sum += sample.value * sample.weight;
        lowest = std::min(lowest, sample.value);
        highest = std::max(highest, sample.value);
        for (int n = 0; n < static_cast<int>(sample.weight); ++n) all.push_back(sample.value);
      }
      const std::uint32_t id = window->keys().find(key);
      const Summary got = id == KeyTable::none ? Summary{} : window->summary(id, sub, now);
      // Quarters add up exactly in any order.
      RC_ASSERT(got.count == count);
      RC_ASSERT(got.sum == sum);
      if (count > 0) {
        RC_ASSERT(got.lowest == lowest);
        RC_ASSERT(got.highest == highest);
        double squares = 0;
        for (const double value : all) squares += (value - sum / count) * (value - sum / count);
        RC_ASSERT(std::fabs(got.squares - squares) < 1e-6);
        std::ranges::sort(all);
        const int percent = pick(0, 101);
        const auto rank = static_cast<std::size_t>(
            std::max(1.0, std::ceil(static_cast<double>(all.size()) * percent / 100)));
        const double exact = all[rank - 1];
        const double found = window->percentile(id, percent, sub, now).value();
        RC_ASSERT(std::fabs(found - exact) <= std::fabs(exact) / 31);
      }
      maybe_restore(window, now, make);
    }
  }));
}

// Each magnitude twice a bucket, from `least` over so many octaves.
std::vector<double> octaves(double least, int octaves) {
  std::vector<double> all;
  for (int i = 0; i < octaves * 32; ++i) all.push_back(least * std::exp2((i + 0.5) / 32));
  return all;
}

TEST(SketchBounds, WhatIsNearestToZeroIsGivenUpFirst) {
  const std::vector<double> many = octaves(0.001, 20);
  const auto near = [](std::optional<double> found, double exact) {
    return found && std::fabs(*found - exact) <= std::fabs(exact) / 31;
  };
  for (const int signs : {1, -1, 0}) {
    std::vector<double> all;
    for (const double value : many) {
      if (signs >= 0) all.push_back(value);
      if (signs <= 0) all.push_back(-value);
    }
    std::mt19937 random(7);
    std::ranges::shuffle(all, random);
    Sketch sketch, other;
    for (std::size_t i = 0; i < all.size(); ++i)
      (i % 2 == 0 ? sketch : other).add(Sketch::bucket_of(all[i]), 1);
    sketch.add(other);
    EXPECT_LE(sketch.buckets().size(), Sketch::buckets_max);
    std::ranges::sort(all);
    double weight = 0;
    for (const auto& [bucket, part] : sketch.buckets()) weight += part;
    EXPECT_EQ(weight, static_cast<double>(all.size()));
    // The largest of each sign, over as many octaves as are promised.
    const double kept = many.back() / (signs == 0 ? 256 : 65'536) * 1.1;
    for (int percent = 1; percent <= 100; ++percent) {
      const auto rank =
          static_cast<std::size_t>(std::ceil(static_cast<double>(all.size()) * percent / 100));
      const double exact = all[rank - 1];
      if (std::fabs(exact) < kept) continue;
      EXPECT_TRUE(near(sketch.percentile(percent), exact))
          << percent << " of " << signs << ": " << *sketch.percentile(percent) << " " << exact;
    }
  }
}

TEST(SpanWindowModel, DropsAndCountsWhatIsTooOld) {
  SpanWindow window("w", {std::chrono::seconds{10}, std::chrono::seconds{1}});
  const Time now{std::chrono::seconds{100}};
  EXPECT_EQ(window.add("a", 1, 1, now - std::chrono::seconds{10}, now), Window::Added::taken);
  EXPECT_EQ(window.add("a", 1, 1, now - std::chrono::seconds{10} - Micros{1}, now),
            Window::Added::too_old);
  EXPECT_EQ(window.dropped(), 1u);
}

TEST(LastWindowModel, KeepsTheSameValues) {
  EXPECT_TRUE(rc::check([] {
    const auto last = static_cast<std::uint32_t>(pick(1, 6));
    const auto make = [&] { return std::make_unique<LastWindow>("w", last); };
    std::unique_ptr<LastWindow> window = make();
    std::map<std::string, std::vector<double>> model;
    const Time now{};
    const int steps = pick(1, 60);
    for (int i = 0; i < steps; ++i) {
      const std::string key = key_of(pick(0, 3));
      const auto value = static_cast<double>(pick(-9, 9));
      window->add(key, value, 1, now, now);
      model[key].push_back(value);
      std::vector<double> values = model[key];
      const std::size_t added = values.size();
      if (values.size() > last) values.erase(values.begin(), values.end() - last);
      std::string expected = fmt::format("{{\"i\":{},\"v\":[", added);
      for (std::size_t n = 0; n < values.size(); ++n)
        expected += (n > 0 ? "," : "") + number(values[n]);
      std::string got;
      const std::uint32_t id = window->keys().find(key);
      window->write(id, got);
      RC_ASSERT(got == expected + "]}");
      RC_ASSERT(window->is_full(id) == (values.size() == last));
      std::ranges::sort(values);
      RC_ASSERT(window->percentile(id, 50, std::nullopt, now) == values[(values.size() - 1) / 2]);
      maybe_restore(window, now, make);
    }
  }));
}

TEST(KeyTable, FindsAndOrdersTheSameKeysAsAMap) {
  EXPECT_TRUE(rc::check([] {
    KeyTable table;
    std::map<std::string, std::uint32_t> model;
    const int steps = pick(1, 400);
    for (int i = 0; i < steps; ++i) {
      // Few enough to meet again, enough to make the table grow.
      const std::string key(static_cast<std::size_t>(pick(0, 60)),
                            static_cast<char>('a' + pick(0, 3)));
      const std::uint32_t id = table.find(key);
      RC_ASSERT((id == KeyTable::none) == !model.contains(key));
      if (id == KeyTable::none) {
        model[key] = table.add(key);
      } else if (pick(0, 2) == 0) {
        table.remove(id);
        model.erase(key);
      } else {
        RC_ASSERT(id == model[key]);
      }
      RC_ASSERT(table.count() == model.size());
      if (pick(0, 10) == 0) {
        auto expected = model.begin();
        for (const std::uint32_t each : table.in_order()) {
          RC_ASSERT(table.key(each) == expected->first);
          ++expected;
        }
        RC_ASSERT(expected == model.end());
      }
    }
  }));
}

TEST(JsonCursor, PassesOverValuesAndStopsAtWhatIsNone) {
  JsonCursor in(R"({"a\n":[1,{"b":"}]\""}],"c":-1.5})");
  std::string seen;
  EXPECT_TRUE(in.object([&](std::string_view key) {
    seen += std::string(key) + "=";
    const auto value = in.value();
    if (value) seen += std::string(*value) + ";";
    return value.has_value();
  }));
  EXPECT_EQ(seen, "a\n=[1,{\"b\":\"}]\\\"\"}];c=-1.5;");
  for (const char* broken : {"", "{", "[1,2", "\"a", "\"a\\", "}", ",", ":"}) {
    EXPECT_FALSE(JsonCursor(broken).value()) << broken;
  }
  EXPECT_FALSE(JsonCursor("1.5").whole());
  EXPECT_FALSE(JsonCursor("1e300").whole());
  EXPECT_FALSE(JsonCursor("nan").number());
}

TEST(Window, KeepsWhatTheScriptNames) {
  const auto kept = [](std::string_view text) {
    const Window::Kept found = kept_by_script(text);
    return fmt::format("{}{}{}", found.squares ? "s" : "", found.extremes ? "e" : "",
                       found.sketch ? "p" : "");
  };
  EXPECT_EQ(kept("w.stddev + errors:max('a')"), "se");
  EXPECT_EQ(kept("w['min'] w:percentile('a', 99)"), "ep");
  EXPECT_EQ(kept("local m = math.max(1, 2) -- the max of w.minute, { max = 3 }"), "");
}

}  // namespace
}  // namespace hastur::testing
