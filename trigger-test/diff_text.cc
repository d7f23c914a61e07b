#include "trigger-test/diff_text.h"

#include <fmt/format.h>

#include <array>

#include "core/json.h"
#include "core/printable.h"
#include "trigger-test/message_words.h"
#include "trigger-test/state_change.h"

namespace hastur {
namespace {

// Of notifications and errors; and of the identities of the others.
constexpr std::size_t lines_max = 40;
constexpr std::size_t value_max = 50;

using What = EffectChange::What;

constexpr std::array groups = {
    std::pair{EffectGroup::notification, "notifications"},
    std::pair{EffectGroup::statistic, "statistics"},
    std::pair{EffectGroup::log, "log lines"},
    std::pair{EffectGroup::error, "errors"},
};

// "text "a" → "b", details.load 3 → 4"
std::string changed_words(const EffectChange& change) {
  std::string words;
  for (const StateChange& each : state_changes(change.old_one, change.new_one)) {
    const auto shown = [](const Json& value) {
      return value.is_null() ? std::string("nothing") : cut_text(canonical_json(value), value_max);
    };
    words += fmt::format("{}{} {} → {}", words.empty() ? "" : ", ", each.path, shown(each.before),
                         shown(each.after));
  }
  return words;
}

std::string later_words(Micros later) {
  return later < Micros{0} ? format_span(-later) + " earlier" : format_span(later) + " later";
}

// What a change is, without its mark.
std::string change_words(const EffectChange& change) {
  const std::string head = fmt::format("{}  {}", format_time(change.time), change.identity);
  switch (change.what) {
    case What::appears:
    case What::vanishes: {
      if (change.group == EffectGroup::error) {
        const Json& error = change.what == What::appears ? change.new_one : change.old_one;
        return fmt::format("{}  ERROR at {}:{}: {}", format_time(change.time),
                           entry_text(error, "script"), entry_text(error, "line"),
                           entry_text(error, "text"));
      }
      const Json& one = change.what == What::appears ? change.new_one : change.old_one;
      const std::string text = entry_text(one, "text");
      return text.empty() ? head : head + ": " + text;
    }
    case What::changes:
      return head + "  " + changed_words(change);
    case What::moves: {
      const std::string changed = changed_words(change);
      return fmt::format("{}  {}{}", head, later_words(change.later),
                         changed.empty() ? "" : ", " + changed);
    }
  }
  return head;
}

char mark_of(What what) {
  switch (what) {
    case What::appears:
      return '+';
    case What::vanishes:
      return '-';
    case What::changes:
      return '~';
    case What::moves:
      break;
  }
  return '>';
}

class TextDiff {
 public:
  TextDiff(const EffectDiff& diff, const DiffTitle& title, const Paint& paint)
      : diff_(diff), title_(title), paint_(paint) {}

  std::string write() {
    out_ += fmt::format("{} → {}\n", paint_.bold(printable(title_.old_path)),
                        paint_.bold(printable(title_.new_path)));
    one_by_one(EffectGroup::notification);
    one_by_one(EffectGroup::error);
    by_identity(EffectGroup::statistic);
    by_identity(EffectGroup::log);
    out_ += '\n';
    for (const auto& [group, name] : groups) totals(group, name);
    if (!diff_.differ()) {
      out_ += paint_.green(fmt::format("no difference on {} messages\n", title_.messages));
    } else {
      out_ += fmt::format("on {} messages\n", title_.messages);
    }
    return std::move(out_);
  }

 private:
  void line(What what, const std::string& raw) {
    const std::string text = printable(raw);
    switch (what) {
      case What::appears:
        out_ += paint_.green("+ " + text);
        break;
      case What::vanishes:
        out_ += paint_.red("- " + text);
        break;
      case What::changes:
        out_ += paint_.yellow("~ " + text);
        break;
      case What::moves:
        out_ += paint_.yellow("> " + text);
        break;
    }
    out_ += '\n';
  }

  void one_by_one(EffectGroup group) {
    std::size_t told = 0;
    for (const EffectChange& change : diff_.changes()) {
      if (change.group != group) continue;
      if (told == 0) out_ += '\n';
      if (++told > lines_max) continue;
      line(change.what, cut_text(change_words(change), 200));
    }
    const EffectDiff::Counts& counts = diff_.counts(group);
    const std::uint64_t all = counts.appear + counts.vanish + counts.change + counts.move;
    if (all > lines_max) out_ += paint_.faint(fmt::format("  … and {} more\n", all - lines_max));
  }

  const EffectChange* first_of(EffectGroup group, const std::string& identity) const {
    for (const EffectChange& change : diff_.changes()) {
      if (change.group == group && change.identity == identity) return &change;
    }
    return nullptr;
  }

  // "~ gauge a.b: 120 change, first at …: value 3 → 4"
  void by_identity(EffectGroup group) {
    std::size_t told = 0;
    std::size_t left = 0;
    for (const auto& [place, counts] : diff_.by_identity()) {
      if (place.first != group || !counts.differ()) continue;
      if (told == 0) out_ += '\n';
      if (++told > lines_max) {
        ++left;
        continue;
      }
      const What what = counts.appear > 0 && counts.vanish + counts.change == 0   ? What::appears
                        : counts.vanish > 0 && counts.appear + counts.change == 0 ? What::vanishes
                                                                                  : What::changes;
      std::string text = place.second + ":" + counted(counts);
      if (const EffectChange* first = first_of(group, place.second)) {
        text += fmt::format(", first at {}", format_time(first->time));
        if (first->what == What::changes) text += ": " + changed_words(*first);
        if (group == EffectGroup::log)
          text +=
              ": " + entry_text(first->new_one.is_null() ? first->old_one : first->new_one, "text");
        if (group == EffectGroup::statistic && first->what != What::changes) {
          text += ": " +
                  entry_text(first->new_one.is_null() ? first->old_one : first->new_one, "value");
        }
      }
      line(what, cut_text(text, 200));
    }
    if (left > 0) out_ += paint_.faint(fmt::format("  … and {} more names\n", left));
  }

  static std::string counted(const EffectDiff::Counts& counts) {
    std::string text;
    const auto add = [&](std::uint64_t count, const char* word) {
      if (count == 0) return;
      text +=
          fmt::format("{} {} {}{}", text.empty() ? "" : ",", count, word, count == 1 ? "s" : "");
    };
    add(counts.appear, "appear");
    add(counts.vanish, "vanish");
    if (counts.change > 0)
      text += fmt::format("{} {} change{}", text.empty() ? "" : ",", counts.change,
                          counts.change == 1 ? "s" : "");
    add(counts.move, "move");
    // "vanishes", not "vanishs"
    if (const std::size_t at = text.find("vanishs"); at != std::string::npos)
      text.replace(at, 7, "vanishes");
    return text;
  }

  void totals(EffectGroup group, const char* name) {
    const EffectDiff::Counts& counts = diff_.counts(group);
    if (counts.same == 0 && !counts.differ()) return;
    out_ += fmt::format("{:<14} {} as before{}{}\n", name, counts.same, counts.differ() ? "," : "",
                        counted(counts));
  }

  const EffectDiff& diff_;
  const DiffTitle& title_;
  const Paint& paint_;
  std::string out_;
};

const char* name_of(What what) {
  switch (what) {
    case What::appears:
      return "appears";
    case What::vanishes:
      return "vanishes";
    case What::changes:
      return "changes";
    case What::moves:
      return "moves";
  }
  return "";
}

const char* effect_name(EffectGroup group) {
  switch (group) {
    case EffectGroup::notification:
      return "notification";
    case EffectGroup::statistic:
      return "message";
    case EffectGroup::log:
      return "log";
    case EffectGroup::error:
      return "error";
  }
  return "";
}

Json json_of(const EffectDiff::Counts& counts) {
  return {{"same", counts.same},
          {"appear", counts.appear},
          {"vanish", counts.vanish},
          {"change", counts.change},
          {"move", counts.move}};
}

}  // namespace

std::string diff_text(const EffectDiff& diff, const DiffTitle& title, const Paint& paint) {
  return TextDiff(diff, title, paint).write();
}

std::string diff_json(const EffectDiff& diff, const DiffTitle& title) {
  std::string out;
  for (const EffectChange& change : diff.changes()) {
    Json json = {{"difference", name_of(change.what)},
                 {"effect", effect_name(change.group)},
                 {"identity", change.identity},
                 {"seq", change.seq},
                 {"time", to_us(change.time)}};
    if (!change.old_one.is_null()) json["old"] = change.old_one;
    if (!change.new_one.is_null()) json["new"] = change.new_one;
    if (change.what == What::moves) json["later_us"] = change.later.count();
    append_canonical_json(out, json);
    out += '\n';
  }
  append_canonical_json(out, diff_totals(diff, title));
  out += '\n';
  return out;
}

Json diff_totals(const EffectDiff& diff, const DiffTitle& title) {
  const auto time_of = [](std::optional<Time> time) {
    return time ? Json(to_us(*time)) : Json(nullptr);
  };
  return {{"messages", title.messages},
          {"from", time_of(title.from)},
          {"to", time_of(title.to)},
          {"differ", diff.differ()},
          {"notifications", json_of(diff.counts(EffectGroup::notification))},
          {"statistics", json_of(diff.counts(EffectGroup::statistic))},
          {"logs", json_of(diff.counts(EffectGroup::log))},
          {"errors", json_of(diff.counts(EffectGroup::error))}};
}

std::vector<std::string> notification_lines(const EffectDiff& diff, std::size_t lines_max) {
  std::vector<std::string> lines;
  for (const EffectChange& change : diff.changes()) {
    if (change.group != EffectGroup::notification) continue;
    if (lines.size() == lines_max) break;
    lines.push_back(
        cut_text(printable(fmt::format("{} {}", mark_of(change.what), change_words(change))), 200));
  }
  return lines;
}

}  // namespace hastur
