#include "trigger-test/hunt_report.h"

#include <fmt/format.h>

#include <filesystem>
#include <sstream>

#include "trigger-test/test_text.h"
#include "trigger-test/written_file.h"

namespace hastur {
namespace {

// How a file of ours begins: it may be overwritten.
constexpr std::string_view first_words = "-- Found by trigger-test --seed ";

}  // namespace

HuntReport::HuntReport(const TriggerFiles& trigger, const HuntOptions& options)
    : trigger_(trigger), options_(options) {
  report_.kind = "hunt";
  report_.name = "hunt";
  report_.at = {trigger.path, 0};
}

void HuntReport::add(ReportedFailure finding, const std::string& title,
                     const TestCase* smallest_case) {
  if (smallest_case != nullptr) {
    TestCase test = *smallest_case;
    test.name = title;
    offered_.push_back(lua_text(test, "  "));
  }
  report_.failures.push_back(std::move(finding));
}

void HuntReport::note(std::string sentence, FilePlace place, const char* found) {
  report_.notes.push_back({std::move(sentence), {}, std::move(place), {{"found", found}}});
}

CheckReport HuntReport::finish() {
  if (!report_.failures.empty()) offer();
  return std::move(report_);
}

// The smallest cases as the text of a test file.
void HuntReport::offer() {
  std::string text = fmt::format("{}{}\nreturn {{\n", first_words, options_.seed);
  for (const std::string& each : offered_) text += "  " + each + ",\n";
  text += "}\n";
  CheckReport::Block block{"the fewest messages that show it, as a test file", {}};
  if (offered_.empty()) {
    block.title = fmt::format("found with --seed {}", options_.seed);
  } else if (const auto place =
                 options_.write_failing.empty() ? Result<std::string>("") : written(text);
             place && !place->empty()) {
    block.lines.push_back(*place);
  } else {
    // What cannot be written is not lost.
    if (!place) block.title += fmt::format(" ({})", place.error().message);
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) block.lines.push_back(line);
  }
  report_.explanations.push_back(std::move(block));
}

// Where it has been written.
Result<std::string> HuntReport::written(const std::string& text) const {
  namespace fs = std::filesystem;
  const fs::path path = fs::path(options_.write_failing) / (trigger_.name + ".test.lua");
  std::error_code error;
  if (fs::exists(path, error)) {
    const Result<std::string> there = read_script_file(path);
    // One that is the same is not written, so that nobody who watches it checks it again.
    if (there && *there == text) return path.string();
    if (!there || !there->starts_with(first_words))
      return fail(ErrorCode::conflict,
                  fmt::format("{} is not from here and was not overwritten", path.string()));
  }
  HASTUR_TRY(write_whole_file(path.string(), text, Existing::goes));
  return path.string();
}

}  // namespace hastur
