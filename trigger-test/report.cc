#include "trigger-test/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/json.h"
#include "core/printable.h"

namespace hastur {
namespace {

constexpr const char* red = "31";
constexpr const char* green = "32";
constexpr const char* bold = "1";
constexpr const char* faint = "2";

// A broken trigger can miss a thousand times; the first ones tell it.
constexpr std::size_t failures_shown = 10;

double seconds(Micros span) { return static_cast<double>(span.count()) / us_per_second; }

std::string duration_text(Micros span) {
  return span < std::chrono::seconds{1} ? fmt::format("{} ms", span.count() / 1000)
                                        : fmt::format("{:.1f} s", seconds(span));
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Text and attributes of XML 1.0, which has no place for most control characters.
std::string xml(std::string_view text) {
  std::string utf8;
  append_utf8(utf8, text);
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const char c = utf8[i];
    // U+FFFE and U+FFFF are no characters.
    const std::string_view three = std::string_view(utf8).substr(i, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      out += '?';
      i += 2;
      continue;
    }
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

Json json_of(const FilePlace& place) {
  return place.is_known() ? Json{{"path", place.path}, {"line", place.line}} : Json();
}

Json json_of(const CheckReport& check) {
  Json json = {{"kind", check.kind},
               {"name", check.name},
               {"at", json_of(check.at)},
               {"good", check.failures.empty()},
               {"took_us", check.took.count()},
               {"failures", Json::array()}};
  for (const ReportedFailure& failure : check.failures) {
    Json one = {{"sentence", failure.sentence},
                {"expected_at", json_of(failure.expected_at)},
                {"caused_at", json_of(failure.caused_at)}};
    if (!failure.details.is_null()) one["details"] = failure.details;
    json["failures"].push_back(std::move(one));
  }
  for (const ReportedFailure& note : check.notes) {
    json["notes"].push_back({{"sentence", note.sentence}, {"caused_at", json_of(note.caused_at)}});
  }
  for (const CheckReport::Block& block : check.explanations)
    json["explanations"].push_back({{"title", block.title}, {"lines", block.lines}});
  return json;
}

}  // namespace

std::string FilePlace::text() const { return line == 0 ? path : fmt::format("{}:{}", path, line); }

bool TriggerReport::is_good() const {
  return std::ranges::all_of(checks,
                             [](const CheckReport& check) { return check.failures.empty(); });
}

std::size_t TriggerReport::tests() const {
  return static_cast<std::size_t>(std::ranges::count(checks, "test", &CheckReport::kind));
}

// ---- for people ----

std::string TextReport::painted(const char* code, const std::string& text) const {
  return colour_ ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
}

void TextReport::trigger(std::string& out, const TriggerReport& report) {
  const std::size_t tests = report.tests();
  out += fmt::format("{}  {:<32} {}, {}\n",
                     report.is_good() ? painted(green, "ok  ") : painted(red, "FAIL"),
                     printable(report.name), tests == 0 ? "no tests" : plural(tests, "test"),
                     duration_text(report.took));
  if (report.measured) out += "      " + painted(faint, report.measured->words()) + '\n';
  for (const CheckReport& check : report.checks) {
    if (!check.failures.empty()) this->check(out, check);
    for (const ReportedFailure& note : check.notes) {
      out += fmt::format("      {}{}\n          at {}\n", painted(bold, "note: "),
                         printable(note.sentence), printable(note.caused_at.text()));
    }
  }
}

void TextReport::check(std::string& out, const CheckReport& check) const {
  const auto line = [&](std::string_view indent, const std::string& text) {
    out += indent;
    out += text;
    out += '\n';
  };
  if (check.kind == "test")
    line("      ", painted(bold, printable(fmt::format("{}  {}", check.at.text(), check.name))));
  const std::size_t shown = std::min(check.failures.size(), failures_shown);
  for (std::size_t i = 0; i < shown; ++i) {
    const ReportedFailure& failure = check.failures[i];
    line("      ", painted(red, "✗ ") + printable(failure.sentence));
    const bool both = failure.expected_at.is_known() && failure.caused_at.is_known();
    if (failure.expected_at.is_known())
      line("          ", (both ? "asked for at " : "at ") + printable(failure.expected_at.text()));
    if (failure.caused_at.is_known())
      line("          ", (both ? "caused at " : "at ") + printable(failure.caused_at.text()));
  }
  if (check.failures.size() > shown)
    line("      ", fmt::format("… and {} more", check.failures.size() - shown));
  if (!check.diff.empty()) {
    out += '\n';
    for (const DiffLine& each : check.diff) {
      const std::string text = printable(each.text);
      switch (each.mark) {
        case DiffLine::Mark::same:
          line("        ", painted(faint, "  " + text));
          break;
        case DiffLine::Mark::missing:
          line("        ", painted(red, "- " + text));
          break;
        case DiffLine::Mark::extra:
          line("        ", painted(green, "+ " + text));
          break;
        case DiffLine::Mark::note:
          line("        ", painted(bold, "  " + text));
          break;
      }
    }
  }
  for (const CheckReport::Block& block : check.explanations) {
    out += '\n';
    line("        ", painted(bold, printable(block.title)));
    for (const std::string& each : block.lines) line("        ", printable(each));
  }
  out += '\n';
}

void TextReport::end(std::string& out, const std::vector<TriggerReport>& all, Micros took) {
  std::size_t good = 0;
  std::size_t tests = 0;
  for (const TriggerReport& report : all) {
    good += report.is_good() ? 1 : 0;
    tests += report.tests();
  }
  out += fmt::format("{}, {}: ", plural(all.size(), "trigger"), plural(tests, "test"));
  out += good == all.size() ? painted(green, "all good")
                            : painted(red, fmt::format("{} failed", all.size() - good));
  out += fmt::format(" ({})\n", duration_text(took));
  const auto left_out = std::ranges::count_if(all, &TriggerReport::is_hunt_left_out);
  if (left_out > 0)
    out +=
        fmt::format("the hunt came to {} of {}: there was no time for more\n",
                    all.size() - static_cast<std::size_t>(left_out), plural(all.size(), "trigger"));
}

// ---- for tools ----

void JsonReport::trigger(std::string& /*out*/, const TriggerReport& /*report*/) {}

void JsonReport::end(std::string& out, const std::vector<TriggerReport>& all, Micros took) {
  Json json = {{"triggers", Json::array()}, {"took_us", took.count()}};
  std::size_t failed = 0;
  for (const TriggerReport& report : all) {
    Json checks = Json::array();
    for (const CheckReport& check : report.checks) checks.push_back(json_of(check));
    Json one = {{"name", report.name},
                {"path", report.path},
                {"good", report.is_good()},
                {"took_us", report.took.count()},
                {"checks", std::move(checks)}};
    if (report.measured) one["measured"] = report.measured->json();
    if (report.is_hunt_left_out) one["hunt_left_out"] = true;
    json["triggers"].push_back(std::move(one));
    failed += report.is_good() ? 0 : 1;
  }
  json["failed"] = failed;
  json["good"] = failed == 0;
  append_canonical_json(out, json);
  out += '\n';
}

void JunitReport::trigger(std::string& /*out*/, const TriggerReport& /*report*/) {}

void JunitReport::end(std::string& out, const std::vector<TriggerReport>& all, Micros took) {
  out += fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites time=\"{:.3f}\">\n",
                     seconds(took));
  for (const TriggerReport& report : all) {
    const auto failed = std::ranges::count_if(
        report.checks, [](const CheckReport& check) { return !check.failures.empty(); });
    out += fmt::format(
        "  <testsuite name=\"{}\" file=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.3f}\">\n",
        xml(report.name), xml(report.path), report.checks.size(), failed, seconds(report.took));
    for (const CheckReport& check : report.checks) {
      out += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                         xml(report.name), xml(check.name), seconds(check.took));
      if (check.failures.empty()) {
        out += "/>\n";
        continue;
      }
      out += ">\n";
      std::string all_told;
      TextReport(false).check(all_told, check);
      for (const ReportedFailure& failure : check.failures) {
        const FilePlace& place =
            failure.expected_at.is_known() ? failure.expected_at : failure.caused_at;
        std::string text = fmt::format("{}  {}", place.text(), check.name);
        if (!all_told.empty()) text += "\n" + std::exchange(all_told, "");
        out += fmt::format("      <failure message=\"{}\">{}</failure>\n", xml(failure.sentence),
                           xml(text));
      }
      out += "    </testcase>\n";
    }
    out += "  </testsuite>\n";
  }
  out += "</testsuites>\n";
}

}  // namespace hastur
