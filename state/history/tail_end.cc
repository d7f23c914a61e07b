#include "state/history/tail_end.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {
namespace {

class Walk {
 public:
  Walk(HistoryFile& file, Sequence file_first) : file_(file), next_(file_first) {}

  // Each row, in the order in which the file gives them.
  Result<void> take(const RowHead& head) {
    ++end_.rows;
    const auto key = static_cast<std::int64_t>(head.header.first.value);
    if (before_ && key <= key_of(*before_)) return disordered(key);
    if (before_) HASTUR_TRY(judge(*before_, head));
    before_ = head;
    return {};
  }

  Result<TailEnd> finish() {
    // From the end to the first that bears its seal.
    while (before_) {
      const auto sealed = file_.is_sealed(*before_);
      if (!sealed) return fail(sealed.error());
      if (*sealed) break;
      add_stray(key_of(*before_));
      auto earlier = file_.head_before(before_->header.first);
      if (!earlier) return fail(earlier.error());
      if (*earlier && key_of(**earlier) >= key_of(*before_))
        return fail(disordered(key_of(**earlier)).error());
      before_ = std::move(*earlier);
    }
    end_.last = before_;
    return std::move(end_);
  }

 private:
  static std::int64_t key_of(const RowHead& head) {
    return static_cast<std::int64_t>(head.header.first.value);
  }
  Result<void> disordered(std::int64_t key) const {
    return fail(ErrorCode::corrupt,
                fmt::format("{} is damaged: its rows of batches do not stand in order at {}; "
                            "restore it from a copy, or move the folder away and begin a new "
                            "stream",
                            file_.path(), key));
  }
  void add_stray(std::int64_t key) {
    if (std::ranges::find(end_.strays, key) == end_.strays.end()) end_.strays.push_back(key);
  }

  // A row in its place is not asked for its seal: if it is damaged, what it held is missing between
  // its neighbours, and whoever reads finds that out.
  Result<void> judge(const RowHead& head, const RowHead& after) {
    const bool in_place = head.is_possible() && head.header.first >= next_;
    if (in_place && head.header.last() < after.header.first) {
      next_ = head.header.last().next();
      return {};
    }
    const auto sealed = file_.is_sealed(head);
    if (!sealed) return fail(sealed.error());
    if (*sealed) {
      next_ = std::max(next_, head.header.last().next());
    } else if (head.header.first < next_ || key_of(head) < 0) {
      add_stray(key_of(head));
    }
    return {};
  }

  HistoryFile& file_;
  // No row that is in its place begins before it.
  Sequence next_;
  std::optional<RowHead> before_;
  TailEnd end_;
};

}  // namespace

Result<TailEnd> find_tail_end(HistoryFile& file, Sequence file_first) {
  Walk walk(file, file_first);
  HASTUR_TRY(file.each_head([&](const RowHead& head) { return walk.take(head); }));
  return walk.finish();
}

}  // namespace hastur
