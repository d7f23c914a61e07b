// ctx:alert beside a plain and slow model of it, which looks at every key at every tick, on
// sequences that chance wrote, with deaf spans and restores anywhere; and what it says to people.

#include "trigger-runtime/vm/helpers/alert.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <rapidcheck.h>

#include <map>
#include <memory>
#include <set>

#include "core/json.h"
#include "trigger-runtime/vm/helpers/alert_text.h"

namespace hastur::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Moment = std::optional<std::int64_t>;

int pick(int from, int end) { return *rc::gen::inRange(from, end); }
template <class T>
T one_of(const std::vector<T>& all) {
  return *rc::gen::elementOf(all);
}

Condition words(const std::string& json) {
  return std::move(*Condition::parse(parse_json(json).value(), false, true));
}

std::string written(Alert& alert) {
  std::string out = "{";
  for (const std::uint32_t id : alert.keys().in_order()) {
    if (out.size() > 1) out += ',';
    out += fmt::format("\"{}\":", alert.keys().key(id));
    EXPECT_TRUE(alert.write(id, out));
  }
  return out + "}";
}

std::string shown(const AlertPage& page) {
  return fmt::format("{} {} {} {}", to_us(page.at), page.key, page.resolves ? "resolve" : "page",
                     page.to);
}

struct PlainKey {
  std::int64_t t = 0;
  Moment open, over, sent, due;
  bool flapping = false;
  bool stale = false;
  // All within the span that ends with the last one.
  std::vector<std::int64_t> changes;
  std::string text;
  std::string to;

  bool is_open() const { return open && !over; }
  bool is_quiet() const { return !open && !due && changes.empty() && !flapping; }
};

struct PlainAlert {
  Alert::Options options;
  std::map<std::string, PlainKey> keys;
  struct Burst {
    std::int64_t t = 0, open = 0, sent = 0;
    Moment due;
    std::string text;
    std::string to;
    // Until when something could not be heard, and how much.
    std::vector<std::pair<std::int64_t, std::int64_t>> deaf;
  };
  std::optional<Burst> burst;

  // Where the key stands last is "{key}".
  static std::string general(const std::string& name, std::string text) {
    if (const std::size_t at = text.rfind(name); at != std::string::npos)
      text.replace(at, name.size(), "{key}");
    return text;
  }
  // What such a text says of a key.
  static std::string says(const std::string& name, std::string text) {
    if (const std::size_t at = text.find("{key}"); at != std::string::npos)
      text.replace(at, 5, name);
    return text;
  }
  // Its last call was the one that opened it, as far as `t` tells.
  bool is_said_once(const PlainKey& key) const {
    if (!key.open) return false;
    std::int64_t t = *key.open;
    for (const auto& [until, span] : burst->deaf) {
      if (t < until) t = std::min(t + span, until);
    }
    return t == key.t;
  }
  // Whether the burst knows all of it but when it was.
  bool is_held(const std::string& name, const PlainKey& key) const {
    return burst && is_said_once(key) && !key.over && !key.sent && !key.due && !key.flapping &&
           !key.stale && key.changes.empty() && !burst->text.empty() &&
           says(name, burst->text) == key.text;
  }
  // By majority vote.
  std::string most_said() const {
    std::string said;
    int votes = 0;
    for (const auto& [name, key] : keys) {
      if (!key.is_open() || key.sent) continue;
      if (votes == 0) said = general(name, key.text);
      votes += says(name, said) == key.text ? 1 : -1;
    }
    return said;
  }

  static std::int64_t us(Micros span) { return span.count(); }
  // The last ones: no more are needed.
  std::vector<std::int64_t> counted(const PlainKey& key) const {
    std::vector<std::int64_t> out = key.changes;
    if (options.flap && out.size() > options.flap->changes)
      out.erase(out.begin(), out.end() - options.flap->changes);
    return out;
  }
  void turn(PlainKey& key, std::int64_t at, bool opens) {
    key.due.reset();
    if (key.changes.empty()) key.flapping = false;
    if (opens) {
      if (!key.open) key.open = at;
      key.over.reset();
      key.stale = false;
    } else {
      key.over = at;
    }
    if (!options.flap) return;
    // For good: what was heard too late brings none of them back.
    std::erase_if(key.changes,
                  [&](std::int64_t change) { return change <= at - us(options.flap->span); });
    key.changes.push_back(at);
  }
  void set(const std::string& name, bool raises, bool clears, const std::string& text,
           std::int64_t now) {
    if (!keys.contains(name) && !raises) return;
    PlainKey& key = keys[name];
    key.t = now;
    key.text = text;
    const bool was_open = key.is_open();
    const bool turns = was_open ? clears && !raises : raises;
    const std::optional<Micros>& after = was_open ? options.clear_after : options.raise_after;
    if (!turns) {
      key.due.reset();
    } else if (!after) {
      turn(key, now, !was_open);
    } else if (!key.due) {
      key.due = now + us(*after);
    }
    if (key.is_quiet()) keys.erase(name);
  }
  void pass_deaf(std::int64_t deaf, std::int64_t now) {
    for (auto& [name, key] : keys) {
      key.t = std::min(key.t + deaf, now);
      if (key.sent) key.sent = std::min(*key.sent + deaf, now);
      const std::optional<Micros>& after =
          key.is_open() ? options.clear_after : options.raise_after;
      if (key.due) key.due = std::min(*key.due + deaf, now + us(*after));
      for (std::int64_t& change : key.changes) change = std::min(change + deaf, now);
    }
    if (!burst) return;
    burst->deaf.emplace_back(now, deaf);
    burst->t = std::min(burst->t + deaf, now);
    burst->sent = std::min(burst->sent + deaf, now);
    if (burst->due) burst->due = std::min(*burst->due + deaf, now + us(Alert::calm_after));
  }
  std::vector<std::string> decide(std::int64_t now) {
    std::vector<std::string> pages;
    std::uint32_t open = 0;
    std::set<std::string> moved;
    for (auto& [name, key] : keys) {
      if (key.sent && !key.over && key.to != options.to) {
        pages.push_back(fmt::format("{} {} resolve {}", now, name, key.to));
        key.sent = std::nullopt;
        key.to = "";
        key.flapping = false;
        moved.insert(name);
      }
      // Whatever runs out first is first; a second may follow from it.
      for (int i = 0; i < 3; ++i) {
        Moment stale;
        if (options.stale && (key.is_open() || key.due)) stale = key.t + us(*options.stale);
        if (key.due && *key.due <= now && !(stale && *stale < *key.due)) {
          turn(key, *key.due, !key.is_open());
        } else if (stale && *stale <= now) {
          if (key.is_open()) {
            turn(key, *stale, false);
            key.stale = true;
          }
          key.due.reset();
        }
      }
      if (!key.changes.empty() && key.changes.back() + us(options.flap->span) <= now) {
        key.changes.clear();
        if (!key.is_open()) key.flapping = false;
      }
      if (key.is_open()) ++open;
    }
    std::int64_t not_before = INT64_MIN;
    if (!burst && open > options.burst) {
      burst = Burst{now, now, now, std::nullopt, most_said(), options.to, {}};
      pages.push_back(fmt::format("{}  page {}", now, options.to));
    } else if (burst) {
      if (burst->to != options.to) {
        pages.push_back(fmt::format("{}  resolve {}", now, burst->to));
        pages.push_back(fmt::format("{}  page {}", now, options.to));
        burst->sent = now;
        burst->to = options.to;
      }
      if (2 * open > options.burst) {
        burst->due.reset();
      } else if (!burst->due) {
        burst->due = now + us(Alert::calm_after);
      }
      if (burst->due && *burst->due <= now) {
        not_before = std::max(*burst->due, burst->sent);
        pages.push_back(fmt::format("{}  resolve {}", not_before, burst->to));
        burst.reset();
      } else if (options.again && !burst->due && burst->sent + us(*options.again) <= now) {
        pages.push_back(fmt::format("{}  page {}", burst->sent + us(*options.again), burst->to));
        burst->sent = now;
      }
    }
    for (auto& [name, key] : keys) {
      const auto say = [&, &said = name](std::int64_t at, const char* what, const std::string& to) {
        const std::int64_t earliest = moved.contains(said) ? now : not_before;
        pages.push_back(fmt::format("{} {} {} {}", std::max(at, earliest), said, what, to));
      };
      const auto page = [&, &own = key](std::int64_t at) {
        const bool moves = own.sent && own.to != options.to;
        if (moves) say(now, "resolve", own.to);
        say(moves ? now : at, "page", options.to);
        own.sent = now;
        own.to = options.to;
      };
      if (options.flap && key.open && !key.flapping && !burst && !key.changes.empty() &&
          counted(key).size() == options.flap->changes) {
        key.flapping = true;
        page(key.changes.back());
      }
      if (key.flapping && !key.changes.empty()) continue;
      if (key.over) {
        if (key.sent) say(*key.over, "resolve", key.to);
        key.open = key.over = key.sent = std::nullopt;
        key.to = "";
        key.stale = false;
      } else if (key.open && !burst && (!key.sent || key.flapping)) {
        key.flapping = false;
        page(*key.open);
      } else if (key.open && !burst && options.again && !key.due &&
                 *key.sent + us(*options.again) <= now) {
        page(*key.sent + us(*options.again));
      }
    }
    std::erase_if(keys, [](const auto& entry) { return entry.second.is_quiet(); });
    std::ranges::sort(pages);
    return pages;
  }
  std::string json() const {
    std::map<std::string, std::string> all;
    const auto object = [](std::int64_t t, Moment open, Moment over, Moment sent, Moment due,
                           bool flapping, bool stale, const std::vector<std::int64_t>& changes,
                           const std::string& text, const std::string& to) {
      std::vector<std::string> fields;
      if (due) fields.push_back(fmt::format("\"due\":{}", *due));
      if (!changes.empty()) fields.push_back(fmt::format("\"f\":[{}]", fmt::join(changes, ",")));
      if (flapping) fields.push_back("\"flap\":true");
      if (open) fields.push_back(fmt::format("\"open\":{}", *open));
      if (over) fields.push_back(fmt::format("\"over\":{}", *over));
      if (sent) fields.push_back(fmt::format("\"sent\":{}", *sent));
      if (stale) fields.push_back("\"stale\":true");
      fields.push_back(fmt::format("\"t\":{}", t));
      if (!text.empty()) fields.push_back(fmt::format("\"text\":\"{}\"", text));
      if (!to.empty()) fields.push_back(fmt::format("\"to\":\"{}\"", to));
      return fmt::format("{{{}}}", fmt::join(fields, ","));
    };
    for (const auto& [name, key] : keys) {
      all[name] = is_held(name, key)
                      ? std::to_string(*key.open - burst->open)
                      : object(key.t, key.open, key.over, key.sent, key.due, key.flapping,
                               key.stale, counted(key), key.text, key.to);
    }
    if (burst) {
      all[""] = object(burst->t, burst->open, std::nullopt, burst->sent, burst->due, false, false,
                       {}, burst->text, burst->to);
      std::vector<std::string> deaf;
      for (const auto& [until, span] : burst->deaf)
        deaf.push_back(fmt::format("[{},{}]", until, span));
      if (!deaf.empty()) all[""].insert(1, fmt::format("\"deaf\":[{}],", fmt::join(deaf, ",")));
    }
    std::string out = "{";
    for (const auto& [name, text] : all)
      out += fmt::format("{}\"{}\":{}", out.size() > 1 ? "," : "", name, text);
    return out + "}";
  }
};

// Which incidents its receivers have open, by their keys: key and channel.
struct Receivers {
  std::set<std::pair<std::string, std::string>> open;

  // False if one is resolved that they do not know.
  bool take(const std::vector<AlertPage>& pages) {
    bool is_known = true;
    for (const AlertPage& page : pages) {
      const std::pair incident(page.key, page.to);
      if (!page.resolves) {
        open.insert(incident);
      } else if (open.erase(incident) == 0) {
        is_known = false;
      }
    }
    return is_known;
  }
  // Whether the alert still knows of each of them, so that it can be resolved.
  bool are_known_to(const Alert& alert) const {
    return std::ranges::all_of(open, [&](const auto& incident) {
      const std::optional<Alert::Key> key = alert.find(incident.first);
      return incident.first.empty() ? alert.is_burst()
                                    : key && key->sent && key->to == incident.second;
    });
  }
};

Alert::Options some_options() {
  Alert::Options options;
  options.raise = words(R"({"above":7})");
  if (pick(0, 2) == 0) options.clear = words(R"({"below":4})");
  const auto maybe = [](std::optional<Micros>& span, Micros value) {
    if (pick(0, 2) == 0) span = value;
  };
  maybe(options.raise_after, seconds{pick(1, 8)});
  maybe(options.clear_after, seconds{pick(1, 8)});
  maybe(options.again, seconds{pick(5, 40)});
  maybe(options.stale, seconds{pick(3, 30)});
  if (pick(0, 2) == 0) {
    options.flap = Alert::Flap{static_cast<std::uint32_t>(pick(2, 6)), seconds{pick(5, 60)}};
  }
  if (pick(0, 2) == 0) options.burst = static_cast<std::uint32_t>(pick(1, 5));
  return options;
}

TEST(AlertModel, GivesTheSameStateAndPages) {
  EXPECT_TRUE(rc::check([] {
    Alert::Options options = some_options();
    auto alert = std::make_unique<Alert>("a", options);
    PlainAlert model{options, {}, {}};
    Receivers receivers;
    std::int64_t now = 1'000'000'000;
    const int steps = pick(1, 250);
    for (int i = 0; i < steps; ++i) {
      const std::string key(1, static_cast<char>('a' + pick(0, 7)));
      const std::string text = one_of<std::string>(
          {fmt::format("text {}", i), "load of " + key, "load of " + key, "high load"});
      switch (pick(0, 8)) {
        case 0: {
          now += one_of<std::int64_t>({1'000'000, 3'000'000, 65'000'000});
          const std::int64_t deaf = one_of<std::int64_t>({1'000'000, 20'000'000, 90'000'000});
          const bool moved = alert->pass_deaf(Micros{deaf}, time_from_us(now));
          model.pass_deaf(deaf, now);
          RC_ASSERT(moved == (model.json() != "{}"));
          break;
        }
        case 1:
        case 2:
        case 3: {
          now = (now / 1'000'000 + one_of<std::int64_t>({1, 1, 1, 2, 10, 70})) * 1'000'000;
          std::vector<AlertPage> pages;
          const std::string before = written(*alert);
          const bool changed = alert->decide(time_from_us(now), pages);
          std::vector<std::string> got;
          for (const AlertPage& page : pages) got.push_back(shown(page));
          std::ranges::sort(got);
          const std::vector<std::string> expected = model.decide(now);
          RC_ASSERT(got == expected);
          RC_ASSERT(changed == (before != written(*alert)));
          std::ranges::stable_sort(pages, {}, &AlertPage::at);
          RC_ASSERT(receivers.take(pages));
          RC_ASSERT(receivers.are_known_to(*alert));
          break;
        }
        default: {
          now += one_of<std::int64_t>({0, 0, 1, 200'000});
          // Within, on and out of the band.
          const double value = one_of<double>({9, 9, 6, 4, 3});
          Alert::Call call = alert->call_of(Value::of(value));
          call.text = text;
          alert->set(key, call, time_from_us(now));
          const bool clears = options.clear ? value < 4 : value <= 7;
          model.set(key, value > 7, clears, text, now);
          RC_ASSERT(alert->is_open(key) ==
                    (model.keys.contains(key) && model.keys.at(key).is_open()));
        }
      }
      RC_ASSERT(written(*alert) == model.json());
      if (pick(0, 8) == 0) {
        // Also by another version of the script.
        options.to = one_of<std::string>({options.to, options.to, "", "ops"});
        model.options.to = options.to;
        auto other = std::make_unique<Alert>("a", options);
        RC_ASSERT(!other->read(written(*alert), time_from_us(now)));
        RC_ASSERT(written(*other) == written(*alert));
        alert = std::move(other);
      }
    }
  }));
}

// An alert and a clock that only this moves.
struct Stand {
  explicit Stand(Alert::Options options) : alert("rate", std::move(options)) {}
  void set(const std::string& key, double value, const std::string& text = "api: errors") {
    Alert::Call call = alert.call_of(Value::of(value));
    const std::string json = fmt::format("{}", value);
    call.text = text;
    call.value = json;
    alert.set(key, call, now);
    last = json;
  }
  // Ticks up to so long from now; what they say.
  std::string pass(Micros span) {
    std::string out;
    const Time end = now + span;
    while (now < end) {
      now += seconds{1};
      std::vector<AlertPage> pages;
      alert.decide(now, pages);
      for (const AlertPage& page : pages)
        out += fmt::format("{}: {}{}\n", page.key, page.resolves ? "resolve: " : "", page.text);
    }
    return out;
  }
  std::string why(const std::string& key) const { return why_quiet(alert, key, last, now); }

  Alert alert;
  Time now{hours{24}};
  std::string last;
};

Alert::Options rate_options() {
  Alert::Options options;
  options.raise_words = R"({"above":0.1})";
  options.raise = words(options.raise_words);
  options.clear = words(R"({"below":0.05})");
  return options;
}

TEST(AlertTexts, SayWhyThereIsNoPage) {
  Alert::Options options = rate_options();
  options.raise_after = minutes{5};
  options.clear_after = minutes{2};
  options.again = hours{1};
  Stand stand(options);
  stand.set("api", 0.08);
  EXPECT_EQ(stand.why("api"), "0.08 is not above 0.10");
  stand.set("api", 0.14);
  stand.pass(minutes{4});
  EXPECT_EQ(stand.why("api"), "held 4 of 5 min");
  EXPECT_EQ(stand.pass(minutes{1}), "api: api: errors\n");
  stand.pass(minutes{19});
  EXPECT_EQ(stand.why("api"), "again in 41 min");
  stand.set("api", 0.01);
  stand.pass(minutes{1});
  EXPECT_EQ(stand.why("api"), "clear for 1 of 2 min");
}

TEST(AlertTexts, CountInWholeUnits) {
  for (const auto& [after, said] :
       std::map<seconds, std::string>{{seconds{210}, "held 70 of 210 s"},
                                      {seconds{60}, "held 20 of 60 s"},
                                      {minutes{3}, "held 1 of 3 min"},
                                      {minutes{150}, "held 50 of 150 min"},
                                      {hours{6}, "held 2 of 6 h"}}) {
    Alert::Options options = rate_options();
    options.raise_after = after;
    Stand stand(options);
    stand.set("api", 0.5);
    stand.pass(after / 3);
    EXPECT_EQ(stand.why("api"), said);
  }
}

TEST(AlertTexts, SayWhyABurstIsQuiet) {
  Alert::Options options = rate_options();
  options.burst = 2;
  Stand stand(options);
  for (const char* key : {"c", "a", "b"}) stand.set(key, 1);
  EXPECT_EQ(stand.pass(seconds{1}),
            ": 3 rate at once: a, b, c. They are paged together until 1 or fewer are open for a "
            "minute\n");
  EXPECT_EQ(stand.why("a"), "burst");
  stand.set("d", 0.025);
  EXPECT_EQ(stand.why("d"), "0.025 is not above 0.100");
  stand.set("a", 0);
  stand.set("b", 0);
  EXPECT_EQ(stand.pass(minutes{1}), "");
  EXPECT_EQ(stand.pass(seconds{1}),
            ": resolve: resolved after 1m1s: 1 rate still open: c\nc: api: errors\n");
}

// Whatever is kept of a key: how long it was open is so long by the clock.
TEST(AlertTexts, OfAResolveAfterDeafnessInABurstSayHowLongItWasOpen) {
  Alert::Options options = rate_options();
  options.burst = 1;
  Stand stand(options);
  for (const char* key : {"a", "b", "c"}) stand.set(key, 1, "down");
  stand.set("d", 1, "down in its own way");
  stand.pass(seconds{10});
  ASSERT_TRUE(stand.alert.is_burst());
  stand.now += hours{1};
  stand.alert.pass_deaf(hours{1}, stand.now);
  Alert later("rate", options);
  ASSERT_FALSE(later.read(written(stand.alert), stand.now));
  for (const char* key : {"a", "d"}) {
    for (const Alert* alert : {&stand.alert, &later}) {
      const std::optional<Alert::Key> known = alert->find(key);
      ASSERT_TRUE(known);
      EXPECT_EQ(stand.now - *known->open, hours{1} + seconds{10}) << key;
      EXPECT_EQ(stand.now - known->t, seconds{10}) << key;
    }
  }
}

// It was told of before the burst: it is resolved although a burst tells of no key.
TEST(AlertFlapping, ThatEndsInABurstIsResolved) {
  Alert::Options options = rate_options();
  options.flap = Alert::Flap{3, seconds{30}};
  options.burst = 3;
  for (const bool closes : {true, false}) {
    Stand stand(options);
    for (const double value : {1.0, 0.0}) {
      stand.set("api", value);
      stand.pass(seconds{2});
    }
    stand.set("api", 1);
    EXPECT_EQ(stand.pass(seconds{5}), "api: flapping, 3 changes in 30s: api: errors\n");
    for (const char* key : {"a", "b", "c", "d"}) stand.set(key, 1);
    stand.pass(seconds{1});
    ASSERT_TRUE(stand.alert.is_burst());
    EXPECT_EQ(stand.pass(seconds{40}), "");
    EXPECT_EQ(stand.why("api"), "burst");
    if (closes) {
      stand.set("api", 0);
      EXPECT_EQ(stand.pass(seconds{1}), "api: resolve: resolved at 0 after 46s: api: errors\n");
    }
    for (const char* key : {"a", "b", "c", "d"}) stand.set(key, 0);
    EXPECT_EQ(stand.pass(seconds{90}),
              closes ? ": resolve: resolved after 1m42s: no rate is open\n"
                     : ": resolve: resolved after 1m41s: 1 rate still open: api\n"
                       "api: api: errors\n");
  }
}

TEST(AlertTexts, OfAResolveNameValueAndDuration) {
  Alert::Options options = rate_options();
  options.stale = minutes{5};
  options.again = minutes{1};
  Stand stand(options);
  stand.set("api", 0.5);
  EXPECT_EQ(stand.pass(seconds{70}), "api: api: errors\napi: api: errors (still, after 1m1s)\n");
  stand.set("api", 0.0312345, "api: 3 % errors");
  EXPECT_EQ(stand.pass(seconds{10}),
            "api: resolve: resolved at 0.03123 after 1m10s: api: 3 % errors\n");
  EXPECT_EQ(written(stand.alert), "{}");
}

TEST(AlertTexts, OfAResolveSayATextAsItIs) {
  Alert::Options options = rate_options();
  options.raise = words(R"("down")");
  options.clear = std::nullopt;
  Stand stand(options);
  Alert::Call call{true, false, "api is down", {}, R"("down")"};
  stand.alert.set("api", call, stand.now);
  stand.pass(seconds{2});
  call = {false, true, {}, {}, R"("up")"};
  stand.alert.set("api", call, stand.now);
  EXPECT_EQ(stand.pass(seconds{1}), "api: resolve: resolved at up after 2s: api is down\n");
}

TEST(AlertTexts, SayThatThereAreNoData) {
  Alert::Options options = rate_options();
  options.stale = minutes{5};
  Stand stand(options);
  stand.set("web", 0.5, "web: errors");
  EXPECT_EQ(stand.pass(minutes{6}),
            "web: web: errors\nweb: resolve: no data for 5m, resolved after 5m: web: errors\n");
}

TEST(AlertTexts, SayWhyAKeyWithoutDataIsQuiet) {
  Alert::Options options = rate_options();
  options.stale = minutes{30};
  Stand stand(options);
  stand.set("api", 0.5);
  stand.pass(minutes{31});
  EXPECT_EQ(stand.why("api"), "no data for 30m: 0.5 was the last value");
}

TEST(AlertTexts, SayThatItIsFlapping) {
  Alert::Options options = rate_options();
  options.flap = Alert::Flap{4, minutes{10}};
  Stand stand(options);
  std::string said;
  for (int i = 0; i < 6; ++i) {
    stand.set("api", i % 2 == 0 ? 0.5 : 0.01);
    said += stand.pass(minutes{1});
  }
  EXPECT_EQ(said,
            "api: api: errors\napi: resolve: resolved at 0.01 after 1m: api: errors\n"
            "api: api: errors\napi: flapping, 4 changes in 10m: api: errors\n");
  EXPECT_EQ(stand.why("api"), "flapping: quiet until it did not change for 10m");
  EXPECT_EQ(stand.pass(minutes{8}), "");
  EXPECT_EQ(stand.pass(minutes{2}), "api: resolve: resolved at 0.01 after 3m: api: errors\n");
  EXPECT_EQ(written(stand.alert), "{}");
}

TEST(AlertTexts, SayThatWhatFlappedHasStayedOpen) {
  Alert::Options options = rate_options();
  options.flap = Alert::Flap{4, minutes{10}};
  Stand stand(options);
  for (int i = 0; i < 7; ++i) {
    stand.set("api", i % 2 == 0 ? 0.5 : 0.01);
    stand.pass(minutes{1});
  }
  EXPECT_EQ(stand.pass(minutes{8}), "");
  EXPECT_EQ(stand.pass(minutes{2}), "api: api: errors\n");
  EXPECT_EQ(stand.pass(minutes{20}), "");
  stand.set("api", 0.01);
  EXPECT_EQ(stand.pass(minutes{1}), "api: resolve: resolved at 0.01 after 35m: api: errors\n");
}

TEST(AlertState, OfAKeyThatABurstHoldsIsANumber) {
  Alert::Options options;
  options.raise = words(R"({"above":1})");
  options.burst = 2;
  options.stale = hours{2};
  Stand stand(options);
  const auto raise = [&](const std::string& key, const std::string& text) {
    Alert::Call call;
    call.raises = true;
    call.text = text;
    stand.alert.set(key, call, stand.now);
  };
  for (const char* key : {"u1", "u2", "u3"}) raise(key, fmt::format("{} is down", key));
  stand.now += seconds{2};
  raise("u4", "u4 burns");
  stand.pass(seconds{3});
  raise("u5", "u5 is down");
  const std::string state =
      R"({"":{"open":86403000000,"sent":86403000000,"t":86403000000,"text":"{key} is down"},)"
      R"("u1":-3000000,"u2":-3000000,"u3":-3000000,)"
      R"("u4":{"open":86402000000,"t":86402000000,"text":"u4 burns"},"u5":2000000})";
  EXPECT_EQ(written(stand.alert), state);
  std::string whole;
  EXPECT_TRUE(stand.alert.write_whole(stand.alert.keys().find("u5"), whole));
  EXPECT_EQ(whole, R"({"open":86405000000,"t":86405000000,"text":"u5 is down"})");

  // It pages what it would have paged.
  Stand other(options);
  other.now = stand.now;
  ASSERT_EQ(other.alert.read(state, other.now), std::nullopt);
  EXPECT_EQ(written(other.alert), state);
  for (const char* key : {"u1", "u2", "u3", "u4"}) {
    Alert::Call call;
    call.clears = true;
    other.alert.set(key, call, other.now);
  }
  const std::string said = other.pass(minutes{2});
  EXPECT_TRUE(said.ends_with("u5: u5 is down\n")) << said;
  EXPECT_EQ(said.find("u4"), std::string::npos);
}

TEST(AlertState, OfAMillionKeysInABurstIsSmall) {
  Alert::Options options;
  options.raise = words(R"({"above":1})");
  options.burst = 20;
  Stand stand(options);
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    const std::string key = fmt::format("8e58af00-708c-012f-e468-{:012x}", i);
    Alert::Call call;
    call.raises = true;
    const std::string text = "no heartbeat for 10 s from " + key;
    call.text = text;
    stand.alert.set(key, call, stand.now);
  }
  EXPECT_LT(stand.alert.bytes(), count * 150u);
  stand.pass(seconds{1});
  EXPECT_LT(stand.alert.bytes(), count * 150u);
  EXPECT_LT(written(stand.alert).size(), count * 50u);
}

TEST(DeadlineQueue, TakesWhatIsDueOnceAndInOrder) {
  EXPECT_TRUE(rc::check([] {
    DeadlineQueue queue;
    std::map<std::uint32_t, std::int64_t> model;
    const int steps = pick(1, 4'000);
    for (int i = 0; i < steps; ++i) {
      const auto id = static_cast<std::uint32_t>(pick(0, 12));
      const std::int64_t at = pick(0, 1'000);
      const int what = pick(0, 40);
      if (what == 0) {
        std::vector<std::pair<std::int64_t, std::uint32_t>> due;
        for (const auto& [own, time] : model) {
          if (time <= at) due.emplace_back(time, own);
        }
        std::ranges::sort(due);
        std::vector<std::uint32_t> ids;
        for (const auto& [time, own] : due) {
          ids.push_back(own);
          model.erase(own);
        }
        RC_ASSERT(queue.take_due(Time{Micros{at}}) == ids);
      } else if (what < 8) {
        queue.remove(id);
        model.erase(id);
      } else {
        queue.put(id, Time{Micros{at}});
        const auto [place, is_new] = model.try_emplace(id, at);
        place->second = std::min(place->second, at);
      }
    }
  }));
}

TEST(AlertState, OfOtherOptionsIsTrimmed) {
  Alert::Options options = rate_options();
  options.flap = Alert::Flap{3, minutes{10}};
  options.raise_after = minutes{5};
  Stand stand(options);
  stand.set("api", 1);
  const std::string pending = written(stand.alert);
  EXPECT_EQ(pending, R"({"api":{"due":86700000000,"t":86400000000,"text":"api: errors","v":1}})");
  Stand other(rate_options());
  EXPECT_EQ(other.alert.read(pending, other.now), std::nullopt);
  EXPECT_EQ(other.pass(seconds{1}), "api: api: errors\n");
  for (const char* broken :
       {R"({"a":{}})", R"({"a":{"t":1,"over":1}})", R"({"a":{"t":1,"sent":1}})",
        R"({"a":{"t":1,"f":1}})", R"({"":{"t":1}})", R"({"a":{"t":1,"d":1}})", R"({"a":1})",
        R"({"":{"open":1,"sent":1,"t":1},"a":1})"}) {
    EXPECT_NE(Alert("a", options).read(broken, stand.now), std::nullopt) << broken;
  }
}

}  // namespace
}  // namespace hastur::testing
