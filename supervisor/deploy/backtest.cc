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

// What was read is compared and written after the reading has ended.
constexpr Micros end_span = std::chrono::seconds{10};

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

}  // namespace

std::unique_ptr<Backtest> Backtest::begin(Loop& loop, const Options& options, std::string commit,
                                          std::vector<Pair> pairs, Micros time_max,
                                          std::function<void(Found)> done) {
  std::unique_ptr<Backtest> backtest(
      new Backtest(loop, options, std::move(commit), std::move(pairs), time_max, std::move(done)));
  backtest->later_ = loop.after(Micros{0}, [at = backtest.get()] { at->next(); });
  return backtest;
}

void Backtest::next() {
  while (at_ < pairs_.size()) {
    const Micros left = until_ - clock_.monotonic();
    const Micros share = left / static_cast<std::int64_t>(pairs_.size() - at_);
    if (left < share_min) {
      found_.report += fmt::format("backtest: no time was left for {} of {} triggers\n",
                                   pairs_.size() - at_, pairs_.size());
      break;
    }
    const auto begun = compare(pairs_[at_], std::max(share, share_min));
    if (begun) return;
    tell_of(pairs_[at_++], begun.error().message);
  }
  // The call may end this object.
  const auto done = std::move(done_);
  done(std::exchange(found_, {}));
}

Result<void> Backtest::compare(const Pair& pair, Micros share) {
  auto before = Checkout::make(options_.folder, pair.before);
  if (!before) return fail(before.error());
  before_.emplace(*std::move(before));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(ErrorCode::failed,
                fmt::format("there is no pipe: {}", std::generic_category().message(errno)));
  }
  const Fd reads(ends[0]), writes(ends[1]);
  BoundedRun::Request exporter;
  exporter.command = options_.exporter;
  for (const std::string& word :
       {std::string("--no-journal"), std::string("--from"), format_span(options_.window),
        std::string("--time-max"), format_span(share)})
    exporter.command.push_back(word);
  exporter.folder = "/";
  exporter.output_fd = writes.get();
  exporter.time_max = share + end_span;
  BoundedRun::Request diff;
  // A path is no flag, whatever it begins with.
  diff.command = {options_.trigger_test,
                  "diff",
                  before_->folder() + "/" + pair.path,
                  "./" + pair.path,
                  "--input",
                  "-",
                  "--format",
                  "json"};
  diff.folder = commit_;
  diff.input_fd = reads.get();
  diff.time_max = share + end_span;
  no_history_.clear();
  auto begun = BoundedRun::start(loop_, exporter, [this](const BoundedRun::Ended& ended) {
    if (ended.exit_code != 0) no_history_ = last_line(ended.output);
  });
  if (!begun) return fail(begun.error());
  exporter_ = *std::move(begun);
  begun =
      BoundedRun::start(loop_, diff, [this](const BoundedRun::Ended& ended) { compared(ended); });
  if (!begun) return fail(begun.error());
  diff_ = *std::move(begun);
  return {};
}

void Backtest::compared(const BoundedRun::Ended& ended) {
  diff_.reset();
  exporter_.reset();
  before_.reset();
  const Pair& pair = pairs_[at_++];
  const auto totals = parse_json(last_line(ended.output));
  if (ended.exit_code != 0 || !totals || !totals->is_object() || !totals->contains("from")) {
    const std::string said(last_line(ended.output));
    tell_of(pair, ended.out_of_time || said.empty() ? ended.how : said);
  } else if ((*totals)["from"].is_null()) {
    tell_of(pair, no_history_.empty() ? "History holds nothing to compare on" : no_history_);
  } else {
    const Micros covered{(*totals)["to"].get<std::int64_t>() -
                         (*totals)["from"].get<std::int64_t>()};
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(covered);
    tell_of(pair, fmt::format("{} of the last {}, {} messages: {}", format_span(whole),
                              format_span(options_.window),
                              totals->value("messages", std::uint64_t{0}), differences(*totals)));
    const auto fresh =
        totals->value("notifications", Json::object()).value("appear", std::uint64_t{0});
    if (options_.new_notifications_max && fresh > *options_.new_notifications_max) {
      found_.blocks = true;
      found_.report += fmt::format(
          "FAIL  {}: {} new notifications are more than [triggers] gate_new_notifications_max, "
          "{}\n",
          pair.path, fresh, *options_.new_notifications_max);
    }
  }
  next();
}

void Backtest::tell_of(const Pair& pair, const std::string& text) {
  found_.report += fmt::format("backtest  {:<28}  {}\n", pair.path, text);
}

}  // namespace hastur
