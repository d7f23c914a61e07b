#include "syndicator/import.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/fd.h"
#include "message/json_codec.h"
#include "message/recording.h"
#include "state/history/history_folder.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t rows_a_batch = 16'384;

// Without links, so that what is moved takes the place that they name, and without a slash at the
// end.
std::string real_path(const std::string& path) {
  std::error_code error;
  std::string real = fs::weakly_canonical(path, error);
  if (error) real = path;
  while (real.size() > 1 && real.ends_with('/')) real.pop_back();
  return real;
}

// The folder that is filled, and the place that it takes.
class Place {
 public:
  explicit Place(const SqliteHistoryOptions& options) : options_(options) {
    options_.directory = real_path(options.directory);
    made_in_ = options_.directory + ".import";
  }
  ~Place();

  // Makes sure that the place is free, and keeps others from it.
  Result<void> take();
  // The History to fill, in a folder of its own.
  Result<std::unique_ptr<History>> begin(Sequence first);
  // Once that is closed: it takes the place.
  Result<void> finish();

 private:
  SqliteHistoryOptions options_;
  std::string made_in_;
  std::unique_ptr<History> holder_;
  bool was_there_ = true;
  bool begun_ = false;
};

// Removes what a History has in the folder, and the folder if nothing else is in it.
void remove_history(const std::string& folder) {
  std::error_code ignored;
  if (const auto files = history_files(folder)) {
    for (const Sequence first : *files) {
      for (const char* ending : {"", "-wal", "-shm"})
        fs::remove(fmt::format("{}/{:020}.db{}", folder, first.value, ending), ignored);
    }
  }
  fs::remove(folder + "/lock", ignored);
  // Not remove_all: what is not ours stays.
  fs::remove(folder, ignored);
}

void sync_folder(const fs::path& folder) {
  const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.is_open()) fsync(opened.get());
}

Place::~Place() {
  holder_.reset();
  if (begun_) remove_history(made_in_);
  if (!was_there_) remove_history(options_.directory);
}

Result<void> Place::take() {
  std::error_code ignored;
  was_there_ = fs::exists(options_.directory, ignored);
  auto opened = open_history(options_);
  if (!opened) return fail(opened.error());
  holder_ = std::move(*opened);
  if (holder_->last() < holder_->oldest()) return {};
  was_there_ = true;
  return fail(ErrorCode::conflict,
              fmt::format("the History in {} has messages already, {} to {}, and a number is given "
                          "out once; import into another folder with --history, or send the "
                          "messages as new ones with `hastur send -`",
                          options_.directory, holder_->oldest().value, holder_->last().value));
}

Result<std::unique_ptr<History>> Place::begin(Sequence first) {
  // What an import that died has left.
  remove_history(made_in_);
  SqliteHistoryOptions options = options_;
  options.directory = made_in_;
  options.first = first;
  // A few large appends.
  options.durability = Durability::synced;
  begun_ = true;
  return open_history(options);
}

Result<void> Place::finish() {
  holder_.reset();
  remove_history(options_.directory);
  std::error_code error;
  fs::rename(made_in_, options_.directory, error);
  if (error) {
    begun_ = false;
    return fail(ErrorCode::failed,
                fmt::format("the History is whole, but cannot be moved from {} to {}: {}; move it "
                            "by hand, or name it with --history",
                            made_in_, options_.directory, error.message()));
  }
  begun_ = false;
  was_there_ = true;
  const fs::path parent = fs::absolute(options_.directory).parent_path();
  sync_folder(parent);
  return {};
}

// What becomes true with each batch: host names, as a syndicator learns them; how far the triggers'
// derived messages have come, so that no run is used again.
class Learned {
 public:
  void take(const BatchView& batch, std::uint64_t messages);
  AppendFacts facts() const { return {hosts_, marks_, counters_}; }

 private:
  void take_host(std::string_view uuid, std::string_view hostname);

  std::map<std::string, std::string, std::less<>> known_hosts_;
  std::map<TriggerName, DerivedMark, std::less<>> known_marks_;
  std::vector<HostName> hosts_;
  std::vector<DerivedMark> marks_;
  std::vector<std::pair<std::string, std::uint64_t>> counters_;
};

void Learned::take(const BatchView& batch, std::uint64_t messages) {
  hosts_.clear();
  marks_.clear();
  counters_ = {{"imported", messages}};
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (std::uint32_t row = 0; row < batch.count(); ++row) {
    const std::uint32_t uuid = batch.uuids()[row];
    const std::uint32_t hostname = batch.hostnames()[row];
    if (uuid == BatchView::none || hostname == BatchView::none) continue;
    if (seen.insert({uuid, hostname}).second) take_host(batch.string(uuid), batch.string(hostname));
  }
  std::set<TriggerName> moved;
  for (std::uint32_t id = 0; id < batch.origin_count(); ++id) {
    const Origin origin = batch.origin(id);
    auto known = known_marks_.find(origin.trigger);
    if (known == known_marks_.end()) {
      known = known_marks_.emplace(origin.trigger, DerivedMark{}).first;
      known->second.trigger = origin.trigger;
    }
    DerivedMark& mark = known->second;
    if (mark.covers(origin.run, origin.sequence, origin.ordinal)) continue;
    mark.run = origin.run;
    mark.sequence = origin.sequence;
    mark.ordinal = origin.ordinal;
    moved.insert(mark.trigger);
  }
  for (const TriggerName& trigger : moved) marks_.push_back(known_marks_.at(trigger));
}

void Learned::take_host(std::string_view uuid, std::string_view hostname) {
  const auto known = known_hosts_.find(uuid);
  if (known == known_hosts_.end()) {
    known_hosts_.emplace(uuid, hostname);
  } else if (known->second == hostname) {
    return;
  } else {
    known->second = hostname;
  }
  hosts_.push_back({std::string(uuid), std::string(hostname)});
}

Result<void> check_lines(const RecordingReader& reader, const ImportOptions& options) {
  if (reader.refused() == 0 || options.keep_bad) return {};
  return fail(ErrorCode::invalid,
              fmt::format("{}; put it right, or take what cannot be decoded as error messages, as "
                          "they would have come in, with --keep-bad",
                          reader.first_refused()));
}

// The number of the first input, from the first line that has one.
Sequence first_number(const std::vector<Sequence>& row_sequences) {
  for (std::size_t row = 0; row < row_sequences.size(); ++row) {
    const Sequence number = row_sequences[row];
    if (number.value > row) return {number.value - row};
    if (number.value > 0) break;
  }
  return {1};
}

std::optional<Sequence> first_other(const std::vector<Sequence>& row_sequences, Sequence first) {
  for (std::size_t row = 0; row < row_sequences.size(); ++row) {
    const Sequence number = row_sequences[row];
    if (number.value > 0 && number != first.plus(row)) return first.plus(row);
  }
  return std::nullopt;
}

Result<Imported> fill(RecordingReader& reader, std::istream& input, const std::string& source,
                      const ImportOptions& options, Place& place) {
  Imported imported;
  std::unique_ptr<History> history;
  Learned learned;
  while (true) {
    auto batch = reader.next();
    if (!batch) return fail(batch.error());
    HASTUR_TRY(check_lines(reader, options));
    if (!*batch) break;
    if (!history) {
      imported.first = first_number(reader.row_sequences());
      auto begun = place.begin(imported.first);
      if (!begun) return fail(begun.error());
      history = std::move(*begun);
    }
    BatchHeader& header = (*batch)->header;
    header.stream = history->stream();
    header.first = history->last().next();
    if (!imported.renumbered)
      imported.renumbered = first_other(reader.row_sequences(), header.first);
    const BatchView view = BatchView::trusted(header, (*batch)->body);
    learned.take(view, reader.messages());
    HASTUR_TRY(history->append(**batch, learned.facts()));
    if (options.progress && input.tellg() >= 0)
      options.progress(static_cast<std::uint64_t>(input.tellg()));
  }
  if (!history) return fail(ErrorCode::invalid, fmt::format("{} has no message in it", source));
  imported.stream = history->stream();
  imported.last = history->last();
  imported.received_at = history->received_at().value_or(Time{});
  imported.messages = reader.messages();
  imported.refused = reader.refused();
  imported.journal_lines = reader.journal_lines();
  imported.lost_lines = reader.lost_lines();
  history.reset();
  HASTUR_TRY(place.finish());
  return imported;
}

}  // namespace

Result<Imported> import_recording(std::istream& input, const std::string& source,
                                  const ImportOptions& options) {
  Place place(options.history);
  HASTUR_TRY(place.take());
  RecordingReader reader(input, source, {rows_a_batch, {}});
  return fill(reader, input, source, options, place);
}

}  // namespace hastur
