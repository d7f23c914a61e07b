// The zoo: wrong triggers that must be caught, and right ones that look suspicious and must pass.
//
// zoo/wrong/NAME.lua says in comments what must be found (`-- caught: TEXT`), what its author must
// be told to do (`-- told: TEXT`), and marks the line at fault (`-- here`, of the file named by
// `-- in: FILE`, else of its own). Both texts are parts of the same sentence.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What follows `-- KEY: ` in a line of its own; empty if there is none.
std::string said(const std::string& text, const std::string& key) {
  const std::string begin = "-- " + key + ": ";
  const std::size_t at = text.find(begin);
  if (at == std::string::npos) return "";
  const std::size_t from = at + begin.size();
  return text.substr(from, text.find('\n', from) - from);
}

// 0 if no line is marked.
std::uint32_t marked_line(const std::string& text) {
  const std::size_t at = text.find("-- here\n");
  if (at == std::string::npos) return 0;
  return 1 + static_cast<std::uint32_t>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

class Zoo : public testing::TriggerTestCommand {
 protected:
  // Checks all of a folder at once: by name of the script, its report.
  void check(const std::string& folder) {
    run(fmt::format("--format json {}/{}", HASTUR_ZOO, folder));
    Result<Json> report = parse_json(output_);
    ASSERT_TRUE(report) << output_ << error_;
    for (Json& trigger : (*report)["triggers"]) {
      const std::string file = fs::path(trigger["path"].get<std::string>()).filename();
      reports_[file] = std::move(trigger);
    }
    ASSERT_GE(reports_.size(), 20u);
  }

  // Findings and notes of all checks: sentence, file, line.
  struct Finding {
    std::string sentence;
    std::string file;
    std::uint32_t line = 0;
  };
  static std::vector<Finding> findings(const Json& trigger) {
    std::vector<Finding> all;
    for (const Json& check : trigger["checks"]) {
      for (const char* key : {"failures", "notes"}) {
        for (const Json& each : check.value(key, Json::array())) {
          Finding finding{each["sentence"], "", 0};
          if (each["caused_at"].is_object()) {
            finding.file = each["caused_at"]["path"];
            finding.line = each["caused_at"]["line"];
          }
          all.push_back(std::move(finding));
        }
      }
    }
    return all;
  }

  static std::string told(const std::vector<Finding>& all) {
    std::string text;
    for (const Finding& each : all)
      text += fmt::format("  {} at {}:{}\n", each.sentence, each.file, each.line);
    return text;
  }

  std::map<std::string, Json> reports_;
};

TEST_F(Zoo, EachWrongTriggerIsCaughtAtItsLineWithWhatToDo) {
  check("wrong");
  for (const auto& [file, report] : reports_) {
    const fs::path path = fs::path(HASTUR_ZOO) / "wrong" / file;
    const std::string script = text_of(path);
    const std::string caught = said(script, "caught");
    ASSERT_FALSE(caught.empty()) << file;
    const std::string in = said(script, "in");
    const std::uint32_t line =
        marked_line(in.empty() ? script : text_of(fs::path(HASTUR_ZOO) / in));
    const std::vector<Finding> all = findings(report);
    const bool found = std::ranges::any_of(all, [&](const Finding& each) {
      return each.sentence.find(caught) != std::string::npos &&
             each.sentence.find(said(script, "told")) != std::string::npos &&
             (line == 0 || each.line == line) &&
             (in.empty() ? fs::path(each.file).filename() == file : each.file == in);
    });
    EXPECT_TRUE(found) << file << ", line " << line << "; found was\n" << told(all);
  }
}

TEST_F(Zoo, EachRightTriggerPassesThoughItLooksSuspicious) {
  check("right");
  for (const auto& [file, report] : reports_) {
    EXPECT_EQ(report["good"], true) << file << ": found was\n" << told(findings(report));
    // That a hunt of slow calls is a short one is no suspicion.
    std::vector<Finding> all = findings(report);
    std::erase_if(all, [](const Finding& each) {
      return each.sentence.find("the hunt left out") != std::string::npos;
    });
    EXPECT_TRUE(all.empty()) << file << ":\n" << told(all);
  }
}

}  // namespace
}  // namespace hastur
