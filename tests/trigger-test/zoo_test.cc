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
#include <string>
#include <vector>

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

// The scripts of a folder of the zoo, by name.
std::vector<std::string> scripts_of(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(HASTUR_ZOO) / folder)) {
    const fs::path name = entry.path().stem();
    if (entry.path().extension() == ".lua" && !name.has_extension()) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

class Zoo : public testing::TriggerTestCommand, public ::testing::WithParamInterface<std::string> {
 protected:
  // The report on the script of this name; null, and the test has failed, if there is none.
  Json check(const std::string& folder) {
    run(fmt::format("--format json {}/{}/{}.lua", HASTUR_ZOO, folder, GetParam()));
    Result<Json> report = parse_json(output_);
    if (!report || (*report)["triggers"].size() != 1) {
      ADD_FAILURE() << output_ << error_;
      return {};
    }
    return std::move((*report)["triggers"][0]);
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
};

class WrongTrigger : public Zoo {};
class RightTrigger : public Zoo {};

std::string name_of(const ::testing::TestParamInfo<std::string>& script) { return script.param; }

INSTANTIATE_TEST_SUITE_P(Zoo, WrongTrigger, ::testing::ValuesIn(scripts_of("wrong")), name_of);
INSTANTIATE_TEST_SUITE_P(Zoo, RightTrigger, ::testing::ValuesIn(scripts_of("right")), name_of);

TEST(ZooFolders, HoldSoManyTriggers) {
  EXPECT_GE(scripts_of("wrong").size(), 40u);
  EXPECT_GE(scripts_of("right").size(), 20u);
}

TEST_P(WrongTrigger, IsCaughtAtItsLineWithWhatToDo) {
  const Json report = check("wrong");
  if (report.is_null()) return;
  const std::string file = GetParam() + ".lua";
  const std::string script = text_of(fs::path(HASTUR_ZOO) / "wrong" / file);
  const std::string caught = said(script, "caught");
  ASSERT_FALSE(caught.empty());
  const std::string in = said(script, "in");
  const std::uint32_t line = marked_line(in.empty() ? script : text_of(fs::path(HASTUR_ZOO) / in));
  const std::vector<Finding> all = findings(report);
  const bool found = std::ranges::any_of(all, [&](const Finding& each) {
    return each.sentence.find(caught) != std::string::npos &&
           each.sentence.find(said(script, "told")) != std::string::npos &&
           (line == 0 || each.line == line) &&
           (in.empty() ? fs::path(each.file).filename() == file : each.file == in);
  });
  EXPECT_TRUE(found) << file << ", line " << line << "; found was\n" << told(all);
}

TEST_P(RightTrigger, PassesThoughItLooksSuspicious) {
  const Json report = check("right");
  if (report.is_null()) return;
  EXPECT_EQ(report["good"], true) << "found was\n" << told(findings(report));
  // That a hunt of slow calls is a short one is no suspicion.
  std::vector<Finding> all = findings(report);
  std::erase_if(all, [](const Finding& each) {
    return each.sentence.find("the hunt left out") != std::string::npos;
  });
  EXPECT_TRUE(all.empty()) << told(all);
}

}  // namespace
}  // namespace hastur
