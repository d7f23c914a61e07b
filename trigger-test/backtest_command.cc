#include "trigger-test/backtest_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/time.h"
#include "message/recording.h"
#include "message/recording_file.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-test/diff.h"
#include "trigger-test/diff_text.h"
#include "trigger-test/printer.h"
#include "trigger-test/trigger_files.h"

namespace hastur {
namespace {

// Few triggers have a worker each, so that one that kills it takes no other with it; many share
// some, of which each holds so many.
constexpr std::size_t workers_alone_max = 8;
constexpr std::size_t pairs_of_worker = 64;
// What is kept of helpers, of a pair and over all: it is handed on in memory, and that of one
// trigger stands in a line of the journal.
constexpr std::size_t helpers_bytes_of_pair = 512u << 10;
constexpr std::size_t helpers_bytes_max = 32u << 20;
// Notifications of a pair that are shown one by one.
constexpr std::size_t shown_max = 5;

// How far a reading has come.
struct Place {
  std::optional<Time> time;
  std::uint64_t messages = 0;
  // The last input's number in the stream that was recorded.
  std::uint64_t last = 0;
};

struct Pair {
  std::optional<std::string> old_path;
  std::string new_path;
  // Numbers in their run; nothing: it is none of it.
  std::optional<std::size_t> old_one, new_one;
  std::vector<Seen> old_seen, new_seen;
  EffectDiff diff;
  // The last input that both have taken, of one whose time was over.
  std::optional<Sequence> stopped_at;
  // What it is in the recording.
  Place place;
  // By both, as far as it has been looked at.
  Micros used{0};
  // Why there is nothing to say of it.
  std::string failed;
};

Result<std::vector<Pair>> read_pairs(const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(ErrorCode::invalid, fmt::format("cannot read {}", path));
  std::vector<Pair> pairs;
  for (std::string line; std::getline(in, line);) {
    const auto json = parse_json(line);
    const bool is_pair =
        json && json->is_object() && json->value("new", Json()).is_string() &&
        (json->value("old", Json()).is_null() || json->value("old", Json()).is_string());
    if (!is_pair) {
      return fail(ErrorCode::invalid,
                  fmt::format("{}:{}: a line is {{\"old\":PATH or null,\"new\":PATH}}", path,
                              pairs.size() + 1));
    }
    Pair& pair = pairs.emplace_back();
    pair.new_path = json->at("new").get<std::string>();
    if (json->contains("old") && json->at("old").is_string())
      pair.old_path =
          (std::filesystem::path(path).parent_path() / json->at("old").get<std::string>()).string();
  }
  return pairs;
}

// The time for all pairs. One that is slow is stopped when the others need what is left of it, but
// not before it has used its share.
class Budget {
 public:
  Budget(Micros time_max, std::size_t pairs)
      : time_max_(time_max), began_(clock_.monotonic()), pairs_(std::max<std::size_t>(pairs, 1)) {}

  bool is_limited() const { return time_max_ > Micros{0}; }
  // How much of the recording has been read, from 0 to 1; 0: nobody knows.
  void progress(double part) { progress_ = part; }
  void feeds() { feeding_since_ = clock_.monotonic(); }
  void has_fed() { fed_ += clock_.monotonic() - feeding_since_; }
  // A pair whose workers have used so much since it was asked for last, and so much in all. Theirs
  // is CPU time; where the machine is busy, as much of it takes longer.
  bool is_over(Micros fresh, Micros all) {
    const Micros now = clock_.monotonic();
    const Micros gone = now - began_;
    if (gone >= time_max_) return true;
    cpu_ += fresh;
    const Micros fed = fed_ + (now - feeding_since_);
    const double stretch = static_cast<double>(fed.count()) /
                           static_cast<double>(std::max<std::int64_t>(cpu_.count(), 1));
    const Micros used{
        static_cast<std::int64_t>(static_cast<double>(all.count()) * std::max(stretch, 1.0))};
    if (used <= time_max_ / static_cast<std::int64_t>(pairs_)) return false;
    if (progress_ <= 0) return true;
    const auto others = static_cast<double>((gone - std::min(used, gone)).count());
    const double rest = others * (1 - progress_) / progress_;
    return static_cast<double>(gone.count()) + margin * rest >
           static_cast<double>(time_max_.count());
  }

 private:
  // What is left of the recording may be denser than what was read.
  static constexpr double margin = 2;
  SystemClock clock_;
  Micros time_max_;
  Micros began_;
  std::size_t pairs_;
  double progress_ = 0;
  // All that pairs have used; while feeding, and since when the feed under way.
  Micros cpu_{0};
  Micros fed_{0};
  Micros feeding_since_{0};
};

// Some pairs on one worker.
class Group final : public StreamListener {
 public:
  // Both outlive it.
  static Result<std::unique_ptr<Group>> make(SharedInputs& inputs, Budget& budget) {
    auto worker = Worker::spawn(inputs, {});
    if (!worker) return fail(worker.error());
    return std::unique_ptr<Group>(new Group(*std::move(worker), budget));
  }

  void add(Pair& pair) {
    if (is_dead_) return die_with(pair);
    Result<TriggerFiles> new_files = find_trigger_files(pair.new_path);
    if (!new_files) return void(pair.failed = new_files.error().message);
    if (pair.old_path) {
      Result<TriggerFiles> old_files = find_trigger_files(*pair.old_path);
      if (!old_files) return void(pair.failed = old_files.error().message);
      // Names stand in keys, labels and uuids, and seed what is random: they are no difference.
      old_files->name = new_files->name;
      pair.old_one = load(pair, *old_files);
      if (!pair.failed.empty()) return;
    }
    pair.new_one = load(pair, *new_files);
  }

  void feed(const std::shared_ptr<const InputBatch>& input) {
    if (is_dead_) return;
    budget_.feeds();
    const auto fed = run_->feed(input);
    budget_.has_fed();
    if (!fed) return die(fed.error());
    for (Pair* pair : pairs_) {
      if (is_stopped_.contains(pair) && !pair->stopped_at) part_at_common_point(*pair);
    }
    compare();
  }

  bool is_done() const {
    return is_dead_ || std::ranges::all_of(pairs_, [](const Pair* pair) {
             return pair->stopped_at || !pair->failed.empty();
           });
  }

  void finish() {
    for (Pair* pair : pairs_) {
      if (is_dead_) break;
      if (!pair->failed.empty() || pair->stopped_at) continue;
      if (pair->old_one) {
        if (const auto end = run_->finish(*pair->old_one); !end) die(end.error());
      }
      if (is_dead_) break;
      auto end = run_->finish(*pair->new_one);
      if (!end) {
        die(end.error());
      } else {
        ends_.emplace_back(pair, std::move(end->state));
      }
    }
    if (!is_dead_) compare();
    for (Pair* pair : pairs_) pair->diff.finish();
  }

  // What was new or is declared otherwise, of the helpers at the end. `covered`: what the inputs
  // span.
  std::optional<Json> helpers(const Pair& pair, Micros covered) const {
    if (is_dead_) return std::nullopt;
    const auto end = std::ranges::find(ends_, &pair, &End::first);
    if (end == ends_.end()) return std::nullopt;
    std::vector<HelperSpec> before;
    if (pair.old_one) before = run_->loaded(*pair.old_one).helpers;
    Json taken = Json::object();
    std::optional<Json> state;
    for (const HelperSpec& helper : run_->loaded(*pair.new_one).helpers) {
      const auto same = std::ranges::find(before, helper.state_key, &HelperSpec::state_key);
      const bool is_new = same == before.end();
      // One that was there knows more than the inputs do if it reaches further back.
      const bool knows_less = !is_new && same->declared != helper.declared &&
                              helper.reach > Micros{0} && helper.reach <= covered;
      if (!is_new && !knows_less) continue;
      if (!state) {
        auto parsed = parse_json(end->second);
        if (!parsed) return std::nullopt;
        state = *std::move(parsed);
      }
      const auto value = state->find(helper.state_key);
      if (value != state->end() && !value->empty()) taken[helper.state_key] = *value;
    }
    if (taken.empty()) return std::nullopt;
    return taken;
  }

  void effect(std::size_t trigger, Sequence input, const Effect& effect) override {
    seen(trigger).push_back({input, effect.time, effect, std::nullopt});
  }
  void error(std::size_t trigger, Sequence input, const CallError& error) override {
    seen(trigger).push_back({input, error.time, std::nullopt, error});
  }

 private:
  using End = std::pair<Pair*, std::string>;

  Group(std::unique_ptr<Worker> worker, Budget& budget)
      : worker_(std::move(worker)), budget_(budget) {
    StreamRun::Options options;
    options.derived_come_back = true;
    if (budget_.is_limited()) {
      options.is_enough = [this](std::size_t trigger, const StreamCost&) {
        return is_enough(trigger);
      };
      options.time_slice = std::chrono::milliseconds{5};
    }
    run_ = std::make_unique<StreamRun>(*worker_, *this, std::move(options));
  }

  std::optional<std::size_t> load(Pair& pair, const TriggerFiles& files) {
    StreamTrigger loading;
    loading.name = files.name;
    loading.script = files.script;
    loading.libraries = files.libraries;
    if (std::ranges::find(pairs_, &pair) == pairs_.end()) pairs_.push_back(&pair);
    auto added = run_->add(std::move(loading));
    if (!added) {
      die(added.error());
      return std::nullopt;
    }
    if (const auto* error = std::get_if<ScriptError>(&*added)) {
      pair.failed = fmt::format("{}:{} does not load: {}", files.shown(error->script), error->line,
                                error->text);
      return std::nullopt;
    }
    const std::size_t number = std::get<std::size_t>(*added);
    if (owners_.size() <= number) owners_.resize(number + 1);
    owners_[number] = {&pair, !pair.old_path || pair.old_one.has_value()};
    return number;
  }

  std::vector<Seen>& seen(std::size_t trigger) {
    const Owner& owner = owners_.at(trigger);
    return owner.is_new ? owner.pair->new_seen : owner.pair->old_seen;
  }

  // Both versions of a pair are stopped, one as soon as it is asked after the other.
  bool is_enough(std::size_t trigger) {
    Pair* pair = owners_.at(trigger).pair;
    if (is_stopped_.contains(pair)) return true;
    Micros used{0};
    for (const auto& one : {pair->old_one, pair->new_one}) {
      if (one) used += run_->cost(*one).cpu;
    }
    if (!budget_.is_over(used - std::exchange(pair->used, used), used)) return false;
    is_stopped_.insert(pair);
    return true;
  }

  // What one of the two came to and the other did not is left out.
  void part_at_common_point(Pair& pair) {
    Sequence common = pair.new_one ? run_->reached(*pair.new_one) : Sequence{};
    if (pair.old_one) common = std::min(common, run_->reached(*pair.old_one));
    pair.stopped_at = common;
    for (std::vector<Seen>* seen : {&pair.old_seen, &pair.new_seen})
      std::erase_if(*seen, [&](const Seen& each) { return each.input > common; });
  }

  void compare() {
    for (Pair* pair : pairs_) {
      if (pair->old_seen.empty() && pair->new_seen.empty()) continue;
      pair->diff.add(pair->old_seen, pair->new_seen, [](Sequence) { return std::uint64_t{0}; });
      pair->old_seen.clear();
      pair->new_seen.clear();
    }
  }

  void die(const Error& error) {
    is_dead_ = true;
    why_ = error.message;
    for (Pair* pair : pairs_) die_with(*pair);
  }
  void die_with(Pair& pair) const {
    if (pair.failed.empty()) pair.failed = why_;
  }

  struct Owner {
    Pair* pair = nullptr;
    bool is_new = false;
  };
  std::unique_ptr<Worker> worker_;
  Budget& budget_;
  std::unique_ptr<StreamRun> run_;
  std::set<const Pair*> is_stopped_;
  std::vector<Pair*> pairs_;
  // By number in the run.
  std::vector<Owner> owners_;
  std::vector<End> ends_;
  bool is_dead_ = false;
  std::string why_;
};

std::size_t group_count(std::size_t pairs) {
  return std::max(std::min(pairs, workers_alone_max),
                  (pairs + pairs_of_worker - 1) / pairs_of_worker);
}

struct Read {
  std::optional<Time> from;
  Place end;
  bool is_whole = true;
};

// `before`: where the batch before it ended. The row is the batch's, or the one before its first.
Place place_at(const RecordingReader& reader, const InputBatch& input, Sequence sequence,
               Place before) {
  const Sequence first = input.batch.header.first;
  if (sequence < first) return before;
  const std::size_t row = sequence.value - first.value;
  Place place{time_from_us(input.stream_times[row]), reader.row_messages()[row], before.last};
  for (std::size_t i = 0; i <= row; ++i)
    place.last = std::max(place.last, reader.row_sequences()[i].value);
  return place;
}

Result<Read> feed_all(RecordingFile& file, std::vector<std::unique_ptr<Group>>& groups,
                      std::vector<Pair>& pairs, Budget& budget, std::uint64_t until) {
  RecordingReader reader(file.stream(), file.name(), {});
  Read read;
  std::uint64_t first = 0;
  while (true) {
    if (std::ranges::all_of(groups, [](const auto& group) { return group->is_done(); })) {
      read.is_whole = false;
      break;
    }
    Result<std::optional<Batch>> batch = reader.next();
    if (!batch) return fail(ErrorCode::invalid, batch.error().message);
    if (!*batch) break;
    const auto input = input_of(std::move(**batch));
    if (!read.from) read.from = time_from_us(input->stream_times.front());
    const Place before = read.end;
    read.end = place_at(reader, *input, input->batch.header.last(), before);
    for (const auto& group : groups) group->feed(input);
    for (Pair& pair : pairs) {
      if (pair.stopped_at && !pair.place.time)
        pair.place = place_at(reader, *input, *pair.stopped_at, before);
      if (pair.stopped_at && !pair.place.time) pair.place.time = read.from;
    }
    if (first == 0) first = read.end.last;
    if (until > first && read.end.last > first)
      budget.progress(static_cast<double>(read.end.last - first) /
                      static_cast<double>(until - first));
  }
  if (read.is_whole) read.end.messages = reader.messages();
  for (const auto& group : groups) group->finish();
  return read;
}

}  // namespace

ExitCode backtest(const BacktestCommand& command) {
  Result<std::vector<Pair>> pairs = read_pairs(command.pairs);
  if (!pairs) return stop(pairs.error());
  const auto file = RecordingFile::open(command.input);
  if (!file) return stop(ExitCode::usage, file.error().message);
  const auto inputs = SharedInputs::make();
  if (!inputs) return stop(inputs.error());
  Budget budget(command.time_max, pairs->size());
  std::vector<std::unique_ptr<Group>> groups;
  for (std::size_t i = 0; i < group_count(pairs->size()); ++i) {
    auto group = Group::make(**inputs, budget);
    if (!group) return stop(group.error());
    groups.push_back(*std::move(group));
  }
  for (std::size_t i = 0; i < pairs->size(); ++i) groups[i % groups.size()]->add((*pairs)[i]);
  const auto read = feed_all(**file, groups, *pairs, budget, command.until);
  if (!read) {
    return read.error().code == ErrorCode::invalid ? stop(ExitCode::usage, read.error().message)
                                                   : stop(read.error());
  }
  const Micros covered = read->from ? *read->end.time - *read->from : Micros{0};
  Printer printer;
  std::size_t helpers_bytes = 0;
  for (std::size_t i = 0; i < pairs->size(); ++i) {
    const Pair& pair = (*pairs)[i];
    Json line = {{"new", pair.new_path}};
    if (!pair.failed.empty()) {
      line["failed"] = pair.failed;
    } else {
      const Place& end = pair.stopped_at ? pair.place : read->end;
      DiffTitle title;
      title.messages = end.messages;
      title.from = read->from;
      title.to = end.time;
      line = diff_totals(pair.diff, title);
      line["new"] = pair.new_path;
      line["last"] = end.last;
      if (pair.stopped_at) line["stopped"] = true;
      line["shown"] = notification_lines(pair.diff, shown_max);
      if (auto helpers = groups[i % groups.size()]->helpers(pair, covered)) {
        const std::size_t bytes = canonical_json(*helpers).size();
        if (bytes <= helpers_bytes_of_pair && helpers_bytes + bytes <= helpers_bytes_max) {
          helpers_bytes += bytes;
          line["helpers"] = *std::move(helpers);
        } else {
          line["helpers_too_large"] = bytes;
        }
      }
    }
    if (!read->is_whole) line["unread"] = true;
    append_canonical_json(printer.text, line);
    printer.text += '\n';
    printer.flush_if_large();
  }
  return printer.end(ExitCode::good);
}

}  // namespace hastur
