#include "tests/integration/one_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <tuple>
#include <utility>

#include "message/json_codec.h"
#include "state/history/sqlite_history.h"
#include "tests/integration/load.h"
#include "trigger-runtime/host/run_stream.h"

namespace hastur {
namespace {

class Effects final : public StreamListener {
 public:
  explicit Effects(std::size_t triggers) : all(triggers) {}
  void effect(std::size_t trigger, Sequence, const Effect& effect) override {
    all[trigger].push_back(effect);
  }
  // An error leaves no trace, here as there.
  void error(std::size_t, Sequence, const CallError&) override {}

  std::vector<std::vector<Effect>> all;
};

StreamTrigger stream_trigger(CheckpointStore& store, const StoredTrigger& stored) {
  StreamTrigger made;
  made.name = stored.run.trigger;
  made.run = stored.run.run;
  const auto version = store.version(stored.run.version);
  HASTUR_CHECK(version && *version && !(*version)->files.empty(), "a run without its version");
  for (const SourceFile& file : (*version)->files) {
    if (made.script.path.empty()) {
      made.script = {file.path, file.text};
    } else {
      made.libraries.push_back({file.path, file.text});
    }
  }
  return made;
}

bool is_of_syndicator(const MessageView& message) {
  const auto kind = message.type == MessageType::error ? field_of(message, "class") : std::nullopt;
  return kind && *kind == "lost";
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

}  // namespace

bool feed_history(History& history, StreamRun& stream, Sequence after, Sequence until) {
  while (after < until) {
    auto batches = history.read(after.next(), {});
    EXPECT_TRUE(batches && !batches->empty());
    if (!batches || batches->empty()) return false;
    for (Batch& batch : *batches) {
      if (after >= until) break;
      const Sequence last = std::min(batch.header.last(), until);
      if (batch.header.first != after.next() || last != batch.header.last()) {
        const auto from = static_cast<std::uint32_t>(after.value + 1 - batch.header.first.value);
        const auto count = static_cast<std::uint32_t>(last.value - after.value);
        batch = slice(BatchView::trusted(batch.header, batch.body), from, count);
      }
      after = last;
      const auto fed = stream.feed(input_of(std::move(batch)));
      EXPECT_TRUE(fed) << fed.error().message;
      if (!fed) return false;
    }
  }
  return true;
}

Remains::Remains(Platform& platform) {
  SqliteHistoryOptions options;
  options.directory = platform.history_folder();
  options.boot_id = boot_id();
  auto history = open_history(options);
  SqliteStoreOptions store_options;
  store_options.path = platform.state_file();
  auto store = open_store(store_options);
  HASTUR_CHECK(history, "the History does not open");
  HASTUR_CHECK(store, "the state does not open");
  history_ = std::move(*history);
  store_ = std::move(*store);
  auto triggers = store_->load_all();
  HASTUR_CHECK(triggers, "the triggers do not load");
  triggers_ = std::move(*triggers);
  take_census();
}

void Remains::take_census() {
  Sequence next{1};
  std::vector<Label> scratch;
  while (true) {
    const auto batches = history_->read(next, {});
    ASSERT_TRUE(batches) << batches.error().message;
    if (batches->empty()) break;
    for (const Batch& batch : *batches) {
      ASSERT_EQ(batch.header.first, next) << "History has a gap";
      const auto view = BatchView::open(batch.header, batch.body);
      ASSERT_TRUE(view) << view.error().message;
      for (std::uint32_t row = 0; row < view->count(); ++row) {
        const MessageView message = view->message(row, scratch);
        if (message.type == MessageType::tick) {
          ++census_.ticks;
        } else if (message.origin) {
          census_.derived[std::string(message.origin->trigger)].push_back(
              {view->sequence(row), Message(message)});
        } else if (!is_of_syndicator(message)) {
          ++census_.datagrams;
          if (message.type == MessageType::error) ++census_.refused;
          const auto number = number_of(message);
          if (!number) continue;
          ++census_.numbered;
          if (*number >= census_.times.size()) census_.times.resize(*number + 1'000'000);
          ++census_.times[*number];
        }
      }
      next = batch.header.last().next();
    }
  }
  EXPECT_EQ(next, history_->last().next());
}

void Remains::expect_every_datagram_once(std::uint64_t sent) {
  const auto lost = history_->lost(Sequence{1}, history_->last());
  ASSERT_TRUE(lost);
  EXPECT_TRUE(lost->empty());
  EXPECT_EQ(census_.datagrams, history_->counters().at("received"));
  EXPECT_EQ(census_.numbered, census_.datagrams) << "a datagram lost its number";
  std::uint64_t twice = 0, never_sent = 0;
  for (std::uint64_t number = 0; number < census_.times.size(); ++number) {
    if (census_.times[number] > 1) ++twice;
    if (census_.times[number] > 0 && number >= sent) ++never_sent;
  }
  EXPECT_EQ(twice, 0u);
  EXPECT_EQ(never_sent, 0u);
}

Remains::Pass Remains::pass(const std::vector<const StoredTrigger*>& triggers, Sequence after,
                            Sequence until) {
  Pass made;
  Effects effects(triggers.size());
  const auto inputs = std::move(*SharedInputs::make());
  Worker::Options options;
  // It guards nothing here, and the machine may be busy.
  options.callback_cpu_max = std::chrono::seconds{60};
  const auto worker = std::move(*Worker::spawn(*inputs, options));
  StreamRun stream(*worker, effects, {});
  for (const StoredTrigger* stored : triggers) {
    const auto added = stream.add(stream_trigger(*store_, *stored));
    EXPECT_TRUE(added && std::holds_alternative<std::size_t>(*added)) << stored->run.trigger;
  }
  if (!feed_history(*history_, stream, after, until)) return made;
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    auto memory = stream.finish(i);
    EXPECT_TRUE(memory) << memory.error().message;
    if (!memory) return made;
    made.memories.push_back(std::move(*memory));
  }
  made.effects = std::move(effects.all);
  return made;
}

std::uint64_t Remains::expect_one_pass() {
  std::set<TriggerName> all;
  for (const StoredTrigger& stored : triggers_) all.insert(stored.run.trigger);
  return expect_one_pass_of(all);
}

std::uint64_t Remains::expect_one_pass_of(const std::set<TriggerName>& names) {
  // Triggers that began at one sequence take their pass together; those whose state is of one
  // sequence a second one, up to there.
  std::map<Sequence, std::vector<const StoredTrigger*>> by_start;
  std::map<std::pair<Sequence, Sequence>, std::vector<const StoredTrigger*>> by_state;
  for (const StoredTrigger& stored : triggers_) {
    if (stored.run.run != Run{1} || !names.contains(stored.run.trigger)) continue;
    by_start[stored.run.after].push_back(&stored);
    if (!stored.checkpoint.state.empty()) {
      by_state[{stored.run.after, stored.checkpoint.state_sequence}].push_back(&stored);
    }
  }
  std::uint64_t compared = 0;
  for (const auto& [after, triggers] : by_start) {
    Sequence until = after;
    for (const StoredTrigger* stored : triggers) {
      until = std::max(until, stored->checkpoint.effects_sequence);
    }
    const Pass once = pass(triggers, after, until);
    if (once.effects.size() != triggers.size()) return compared;
    for (std::size_t i = 0; i < triggers.size(); ++i) {
      compared += compare_effects(*triggers[i], once.effects[i]);
    }
  }
  for (const auto& [span, triggers] : by_state) {
    const Pass once = pass(triggers, span.first, span.second);
    if (once.memories.size() != triggers.size()) return compared;
    for (std::size_t i = 0; i < triggers.size(); ++i) {
      EXPECT_EQ(triggers[i]->checkpoint.state, once.memories[i].state)
          << triggers[i]->run.trigger << " at " << span.second.value;
    }
  }
  return compared;
}

std::uint64_t Remains::compare_effects(const StoredTrigger& stored,
                                       const std::vector<Effect>& effects) {
  std::vector<Effect> messages, notifications;
  for (const Effect& effect : effects) {
    if (effect.sequence > stored.checkpoint.effects_sequence) break;
    if (is_message(effect.kind)) messages.push_back(effect);
    if (effect.kind == EffectKind::notification) notifications.push_back(effect);
  }
  compare_messages(stored, messages);
  compare_notifications(stored, notifications);
  return messages.size() + notifications.size();
}

void Remains::compare_messages(const StoredTrigger& stored, const std::vector<Effect>& expected) {
  const TriggerName& name = stored.run.trigger;
  const std::vector<DerivedRow>& rows = census_.derived[name];
  // Those that had not been acknowledged when the supervisor stopped need not be there yet.
  const auto outbox = store_->outbox(0, 100'000);
  ASSERT_TRUE(outbox);
  std::size_t waiting = 0;
  for (const OutboxMessage& message : *outbox) waiting += message.trigger == name ? 1 : 0;
  ASSERT_LE(rows.size(), expected.size()) << name;
  ASSERT_GE(rows.size() + waiting, expected.size()) << name;

  const std::string uuid = trigger_uuid(name);
  JsonDecoder decoder;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MessageView& row = rows[i].message.view();
    JsonDecoder::Defaults defaults;
    defaults.received_at = row.received_at;
    defaults.uuid = uuid;
    defaults.recorded = true;
    const auto decoded = decoder.decode(expected[i].payload, defaults);
    const auto* view = std::get_if<MessageView>(&decoded);
    ASSERT_NE(view, nullptr) << expected[i].payload;
    MessageView message = *view;
    message.received_at = row.received_at;
    message.origin =
        Origin{name, stored.run.run, expected[i].sequence, expected[i].ordinal, expected[i].depth};
    std::string text;
    append_message_json(text, row);
    ASSERT_TRUE(same_message(row, message))
        << name << ", its derived message " << i << ", is " << text << ", not "
        << expected[i].payload << " of input " << expected[i].sequence.value;
  }
}

void Remains::compare_notifications(const StoredTrigger& stored,
                                    const std::vector<Effect>& expected) {
  CheckpointStore::NotificationQuery query;
  query.trigger = stored.run.trigger;
  query.max = 1'000'000;
  const auto records = store_->notifications(query);
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->size(), expected.size()) << stored.run.trigger;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const NotificationRecord& record = (*records)[i];
    const auto of = [](const auto& effect) {
      return std::tuple(effect.sequence.value, effect.ordinal, effect.payload);
    };
    ASSERT_EQ(of(record), of(expected[i])) << stored.run.trigger;
    ASSERT_EQ(record.run, stored.run.run);
    ASSERT_EQ(record.status, NotificationStatus::recorded);
  }
}

}  // namespace hastur
