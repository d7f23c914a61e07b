#include "supervisor/deploy/backtest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/fd.h"
#include "core/json.h"
#include "core/time.h"

namespace hastur {
namespace {

// What was read is compared and written after the reading has ended: a part of the time.
Micros end_span(Micros time_max) {
  return std::min<Micros>(time_max / 5, std::chrono::seconds{10});
}

constexpr const char* pairs_file = "pairs.jsonl";
// The helpers of all triggers come in memory.
constexpr std::size_t output_bytes_max = 96u << 20;
// Notifications of one commit that are shown one by one.
constexpr std::size_t shown_max = 30;

std::string_view last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text.substr(text.rfind('\n') + 1);
}

// "notifications 3 new, 1 gone, 2 other, 40 as before"
std::string counted(const Json& totals, const char* group, const char* name) {
  const Json counts = totals.value(group, Json::object());
  const auto count = [&](const char* key) { return counts.value(key, std::uint64_t{0}); };
  std::string words;
  const auto add = [&](std::uint64_t number, const char* word) {
    if (number > 0) words += fmt::format("{}{} {}", words.empty() ? "" : ", ", number, word);
  };
  add(count("appear"), "new");
  add(count("vanish"), "gone");
  add(count("change") + count("move"), "other");
  if (words.empty()) return "";
  add(count("same"), "as before");
  return fmt::format("{} {}", name, words);
}

std::string differences(const Json& totals) {
  std::string text;
  for (const auto& [group, name] :
       {std::pair{"notifications", "notifications"}, std::pair{"statistics", "statistics"},
        std::pair{"logs", "log lines"}, std::pair{"errors", "errors"}}) {
    const std::string words = counted(totals, group, name);
    if (!words.empty()) text += (text.empty() ? "" : "; ") + words;
  }
  return text.empty() ? "no difference" : text;
}

// What runs now, in folders that each have libraries of one kind: most triggers share theirs.
// Also the file that says which is which.
std::map<std::string, std::string> files_before(const std::vector<Backtest::Pair>& pairs) {
  std::map<std::map<std::string, std::string>, std::size_t> kinds;
  std::map<std::string, std::string> files;
  std::string list;
  for (const Backtest::Pair& pair : pairs) {
    Json line = {{"new", "./" + pair.path}, {"old", nullptr}};
    if (!pair.before.empty()) {
      auto libraries = pair.before;
      libraries.erase(pair.path);
      const auto [kind, is_new] = kinds.try_emplace(std::move(libraries), kinds.size());
      const std::string folder = fmt::format("{}/", kind->second);
      if (is_new) {
        files[folder + ".hastur/root"] = "";
        for (const auto& [path, text] : kind->first) files[folder + path] = text;
      }
      files[folder + pair.path] = pair.before.at(pair.path);
      line["old"] = folder + pair.path;
    }
    append_canonical_json(list, line);
    list += '\n';
  }
  files[pairs_file] = std::move(list);
  return files;
}

// What a program said at last that failed.
std::string reason(const BoundedRun::Ended& ended) {
  const std::string_view said = last_line(ended.output);
  return ended.out_of_time || said.empty() ? ended.how : std::string(said);
}

}  // namespace

std::unique_ptr<Backtest> Backtest::begin(Loop& loop, const Options& options, Subject subject,
                                          Micros time_max, std::function<void(Found)> done) {
  std::unique_ptr<Backtest> backtest(
      new Backtest(loop, options, std::move(subject), time_max, std::move(done)));
  backtest->later_ = loop.after(Micros{0}, [at = backtest.get()] { at->run(); });
  return backtest;
}

void Backtest::run() {
  const std::size_t count = subject_.pairs.size();
  const std::string triggers = count == 1 ? "1 trigger" : fmt::format("{} triggers", count);
  const Micros left = until_ - clock_.monotonic();
  if (subject_.until.value == 0) {
    tell(triggers, "no input is known yet to run on");
  } else if (left < time_min) {
    tell(triggers, "no time was left for it");
  } else if (const auto begun = start(left); begun) {
    return;
  } else {
    tell(triggers, begun.error().message);
  }
  // The call may end this object.
  const auto done = std::move(done_);
  done(std::exchange(found_, {}));
}

Result<void> Backtest::start(Micros time_max) {
  auto before = Checkout::make(options_.folder, files_before(subject_.pairs));
  if (!before) return fail(before.error());
  before_.emplace(*std::move(before));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(ErrorCode::failed,
                fmt::format("there is no pipe: {}", std::generic_category().message(errno)));
  }
  const Fd reads(ends[0]), writes(ends[1]);
  const Micros reading = time_max - end_span(time_max);
  BoundedRun::Request exporter;
  exporter.command = options_.exporter;
  for (const std::string& word :
       {std::string("--no-journal"), std::string("--from"), format_span(options_.window),
        std::string("--time-max"), format_span(reading), std::string("--to"),
        fmt::format("{}", subject_.until.value)})
    exporter.command.push_back(word);
  exporter.folder = "/";
  exporter.output_fd = writes.get();
  exporter.time_max = time_max;
  BoundedRun::Request comparison;
  comparison.command = {options_.trigger_test,
                        "backtest",
                        before_->folder() + "/" + pairs_file,
                        "--input",
                        "-",
                        "--time-max",
                        format_span(reading),
                        "--until",
                        fmt::format("{}", subject_.until.value)};
  comparison.folder = subject_.commit;
  comparison.input_fd = reads.get();
  comparison.time_max = time_max;
  comparison.output_bytes_max = output_bytes_max;
  auto begun = BoundedRun::start(loop_, exporter, [this](BoundedRun::Ended ended) {
    exported_ = std::move(ended);
    look();
  });
  if (!begun) return fail(begun.error());
  exporter_ = *std::move(begun);
  begun = BoundedRun::start(loop_, comparison, [this](BoundedRun::Ended ended) {
    ended_ = std::move(ended);
    look();
  });
  if (!begun) return fail(begun.error());
  comparison_ = *std::move(begun);
  return {};
}

// One that fails does not wait for the other; why the export failed is known at its end.
void Backtest::look() {
  if (!ended_ || (ended_->exit_code == 0 && !exported_)) return;
  later_ = loop_.after(Micros{0}, [this] { compared(); });
}

void Backtest::compared() {
  exporter_.reset();
  comparison_.reset();
  before_.reset();
  std::map<std::string, Json> said;
  std::string_view rest = ended_->output;
  while (ended_->exit_code == 0 && !rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (auto line = parse_json(rest.substr(0, end)); line && line->is_object()) {
      std::string path = line->value("new", "");
      if (path.starts_with("./")) said[path.substr(2)] = *std::move(line);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // Who stops reading ends the export with it.
  const bool is_read =
      std::ranges::none_of(said, [](const auto& of) { return of.second.value("unread", false); });
  const bool failed = is_read && exported_ && exported_->exit_code != 0;
  if (said.empty()) {
    tell(fmt::format("{} trigger{}", subject_.pairs.size(), subject_.pairs.size() == 1 ? "" : "s"),
         failed ? reason(*exported_) : reason(*ended_));
  } else if (failed) {
    tell("History", fmt::format("could not be read to its end: {}", reason(*exported_)));
  }
  for (const Pair& pair : subject_.pairs) {
    const auto of = said.find(pair.path);
    if (of != said.end()) tell_of(pair, of->second);
  }
  // The call may end this object.
  const auto done = std::move(done_);
  done(std::exchange(found_, {}));
}

void Backtest::tell_of(const Pair& pair, const Json& said) {
  if (const std::string why = said.value("failed", ""); !why.empty()) return tell(pair.path, why);
  const Json from = said.value("from", Json()), to = said.value("to", Json());
  if (!from.is_number_integer() || !to.is_number_integer()) {
    // Why, has been told.
    if (exported_ && exported_->exit_code == 0)
      tell(pair.path, "History holds nothing to compare on");
    return;
  }
  const Micros covered{to.get<std::int64_t>() - from.get<std::int64_t>()};
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(covered);
  const bool is_stopped = said.value("stopped", false);
  tell(pair.path,
       fmt::format("{} of the last {}{}, {} messages: {}", format_span(whole),
                   format_span(options_.window), is_stopped ? " (its time was over)" : "",
                   said.value("messages", std::uint64_t{0}), differences(said)));
  for (const Json& line : said.value("shown", Json::array())) {
    if (++shown_ > shown_max) break;
    if (line.is_string()) found_.report += fmt::format("          {}\n", line.get<std::string>());
  }
  const auto fresh = said.value("notifications", Json::object()).value("appear", std::uint64_t{0});
  if (options_.new_notifications_max && fresh > *options_.new_notifications_max) {
    found_.blocks = true;
    found_.report += fmt::format(
        "FAIL  {}: {} new notifications are more than [triggers] gate_new_notifications_max, "
        "{}\n",
        pair.path, fresh, *options_.new_notifications_max);
  }
  take_helpers(pair, said, time_from_us(to.get<std::int64_t>()));
}

void Backtest::take_helpers(const Pair& pair, const Json& said, Time at) {
  const auto note = [&](const std::string& text) {
    found_.report += fmt::format("          its new helpers begin empty: {}\n", text);
  };
  if (said.contains("helpers_too_large")) return note("what they would remember is too large");
  const auto helpers = said.find("helpers");
  if (helpers == said.end() || !helpers->is_object()) return;
  const Sequence last{said.value("last", std::uint64_t{0})};
  if (last < subject_.until) return note("the backtest did not come to the end of the window");
  found_.warm[pair.path] = {last, at, canonical_json(*helpers)};
  std::string names;
  for (const auto& [key, value] : helpers->items()) names += (names.empty() ? "" : ", ") + key;
  found_.report += fmt::format("          begins with what {} remember{} of it\n", names,
                               helpers->size() == 1 ? "s" : "");
}

void Backtest::tell(const std::string& name, const std::string& text) {
  found_.report += fmt::format("backtest  {:<28}  {}\n", name, text);
}

}  // namespace hastur
