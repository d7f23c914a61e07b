// docs/formats/test.schema.json, which editors and tools read, says the same as trigger-test.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/json.h"
#include "tests/support/started_program.h"
#include "trigger-test/stand.h"
#include "trigger-test/test_file.h"
#include "trigger-test/trigger_files.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

// Debian's, which has the validator.
constexpr const char* python_program = "/usr/bin/python3";

// All test files of this repo.
std::vector<std::string> test_files() {
  std::vector<std::string> paths;
  for (const char* folder :
       {"triggers", "docs", "supervisor", "trigger-test", "tests/trigger-test"}) {
    for (const auto& each : fs::recursive_directory_iterator(fs::path(HASTUR_REPO) / folder)) {
      const std::string path = each.path().string();
      if (path.ends_with(".test.lua") || path.ends_with(".test.json")) paths.push_back(path);
    }
  }
  return paths;
}

// A table of Lua that is empty may be a list as well.
void make_empty_lists(Json& test) {
  for (const char* key : {"messages", "expect"}) {
    if (test.is_object() && test.contains(key) && test[key] == Json::object())
      test[key] = Json::array();
  }
}

class TestSchema : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(python_program, X_OK) != 0) GTEST_SKIP() << "SKIPPED: install the package python3";
    StartedProgram module({python_program, "-c", "import jsonschema"});
    if (module.end() != 0) GTEST_SKIP() << "SKIPPED: install the package python3-jsonschema";
  }

  // What the schema says of each: "good", or the fault.
  std::map<std::string, std::string> judged(const std::map<std::string, Json>& files) {
    const TemporaryFolder folder;
    std::ofstream lines(folder.file("files"));
    for (const auto& [name, data] : files)
      lines << canonical_json({{"name", name}, {"data", data}}) << '\n';
    lines.close();
    StartedProgram validator(
        {"/bin/sh", "-c",
         fmt::format("exec {} -B {} {} <{}", python_program, HASTUR_VALIDATE_TESTS,
                     HASTUR_REPO "/docs/formats/test.schema.json", folder.file("files"))});
    EXPECT_EQ(validator.end(), 0) << validator.text();
    std::map<std::string, std::string> all;
    std::istringstream said(validator.text());
    for (std::string line; std::getline(said, line);) {
      const std::size_t colon = line.find(": ");
      if (colon != std::string::npos) all[line.substr(0, colon)] = line.substr(colon + 2);
    }
    EXPECT_EQ(all.size(), files.size()) << validator.text();
    return all;
  }
};

TEST_F(TestSchema, TakesEveryTestFileOfThisRepo) {
  auto stand = Stand::make();
  ASSERT_TRUE(stand) << stand.error().message;
  std::map<std::string, Json> files;
  for (const std::string& path : test_files()) {
    const Result<std::string> text = read_script_file(path);
    ASSERT_TRUE(text) << text.error().message;
    if (path.ends_with(".json")) {
      files[path] = parse_json(*text).value_or(Json());
      continue;
    }
    auto data = (*stand)->evaluate({path, *text}, {});
    ASSERT_TRUE(data) << data.error().message;
    Json* test = std::get_if<Json>(&*data);
    ASSERT_NE(test, nullptr) << path << ": " << std::get<ScriptError>(*data).text;
    for (Json& each : *test) make_empty_lists(each);
    make_empty_lists(*test);
    files[path] = std::move(*test);
  }
  EXPECT_GE(files.size(), 20u);
  for (const auto& [path, said] : judged(files)) EXPECT_EQ(said, "good") << path;
}

TEST_F(TestSchema, RefusesWhatTriggerTestRefuses) {
  std::map<std::string, Json> files;
  for (const char* text : {
           R"([])",
           R"({})",
           R"({"name":"only"})",
           R"({"mesages":[]})",
           R"({"messages":[{"name":"g"}]})",
           R"({"messages":[{"type":"gauge","name":"g","value":1,"at":"soon"}]})",
           R"({"messages":[{"type":"gauge","name":"g","value":1,"at":"-1s"}]})",
           R"({"messages":[{"type":"gauge","name":"g","value":1,"times":0}]})",
           R"({"messages":[{"type":"gauge","name":"g","value":1,"received_at":1}]})",
           R"({"messages":[{"type":"gauge","name":"g","value":1,"values":[1]}]})",
           R"({"messages":[{"recording":"x.jsonl","type":"gauge"}]})",
           R"({"expect":[{"pge":"x"}]})",
           R"({"expect":[{"page":5}]})",
           R"({"expect":[{"page":"x","log":"y"}]})",
           R"({"expect":[{"page":"x","vlaue":1}]})",
           R"({"expect":[{"page":"x","at":"1s","between":["1s","2s"]}]})",
           R"({"expect":[{"page":"x","between":["1s"]}]})",
           R"({"expect":[{"state":5}]})",
           R"({"expect":[{"state_bytes_max":0}]})",
           R"({"expect":[{"page":"x","never":"no"}]})",
           R"({"expect":[],"nothing_else":1})",
           R"({"messages":[{"type":"tick","at":"1h","deaf":"soon"}]})",
           R"({"messages":[{"type":"tick","at":"1h","name":"t"}]})",
           R"({"expect":[{"notification":"pagerduty"}]})",
           R"({"expect":[{"page":"x","kind":"slck","never":true}]})",
           R"({"expect":[{"page":"x","severity":"criticle","never":true}]})",
           R"({"expect":[{"page":"x","severity":1}]})",
           R"({"expect":[{"notification":"slack","action":"close"}]})",
           R"({"expect":[{"message":"m","type":"guage","never":true}]})",
           R"({"expect":[{"message":"m","type":"log","never":true}]})",
           R"({"messages":[{"type":"gague","name":"g","value":1}]})",
           R"({"messages":[{"type":"ack"}]})",
           R"({"messages":[{"type":5}]})",
           R"({"messages":[{"type":"tick","at":"2h","deaf":"1h","lost":"1h"}]})",
           R"({"messages":[{"recording":"data/r.txt"}]})",
           R"({"messages":[{"recording":"r.test.json"}]})",
           R"({"messages":{"type":"gague"}})",
           R"({"expect":[{"page":"x","every":"5s"}]})",
           R"({"expect":[{"page":"x","at":"0s","times":2}]})",
           R"({"expect":[{"page":"x","never":true,"times":2}]})",
           R"({"expect":{"pge":"x"}})",
           R"({"expect":[{"state":{},"between":["0s","1s"]}]})",
           R"({"expect":[{"state_bytes_max":1125899906842624}]})",
           R"({"expect":[{"page":"x","at":1e30}]})",
       }) {
    const Json data = *parse_json(text);
    TestFile file;
    EXPECT_TRUE(read_test_file(data, SourcePlaces::of_json(text), file)) << text;
    std::string name = std::to_string(files.size());
    files[name] = {{"text", text}, {"data", data}};
  }
  std::map<std::string, Json> bare;
  for (const auto& [name, file] : files) bare[name] = file["data"];
  for (const auto& [name, said] : judged(bare)) EXPECT_NE(said, "good") << files[name]["text"];
}

TEST_F(TestSchema, TakesWhatTriggerTestTakes) {
  std::map<std::string, Json> files;
  std::vector<std::string> texts;
  for (
      const char* text : {
          R"({"expect":[]})",
          R"({"messages":null,"expect":[{"log":"x*","never":true}]})",
          R"({"messages":{"type":"gauge","name":"g","values":6},"expect":{"page":"k"}})",
          R"({"messages":{},"expect":{}})",
          R"({"messages":[{"type":"gauge","name":"g","value":6,"values":[]}]})",
          R"({"messages":[{"type":"tick","at":"2h","deaf":"1h","lost":null}]})",
          R"({"expect":[{"page":"x","at":"0s","every":"5s","times":2},{"page":"y","times":2}]})",
          R"({"expect":[{"page":"x","never":true,"times":1},{"page":"z","at":null,"between":["0s","1s"]}]})",
          R"([{"name":"a","expect":[]},{"messages":[{"recording":"x.jsonl","at":"2m"}]}])",
          R"({"messages":[{"type":"hb_agent","uuid":"u1","at":"1s","every":"5s","times":6,"timestamp":"-500ms"}]})",
          R"({"messages":[{"type":"gauge","name":"g","at":1.5,"values":[1,2,3]}]})",
          R"({"messages":[{"type":"event","name":"e","subject":null,"attn":null}]})",
          R"({"messages":[{"type":"tick","at":"2h","deaf":"1h"},{"type":"tick","at":"3h","lost":1}]})",
          R"({"expect":[{"page":"x","kind":"*","severity":"crit*"},{"message":"m","type":"mark"}]})",
          R"({"expect":[{"page":"k/u1","at":"35s","details":{"a":1}},{"resolve":"k/u1","between":["1m","2m"]},
               {"acknowledge":"k"},{"notification":"slack","to":"ops","text":"*"},{"error":"no*","line":3},
               {"message":"m","value":3,"at":"1m","every":"1m","times":3},
               {"state":{"n":1},"whole":true},{"state_bytes_max":100}]})",
      }) {
    const Json data = *parse_json(text);
    TestFile file;
    const auto error = read_test_file(data, SourcePlaces::of_json(text), file);
    EXPECT_FALSE(error) << text << ": " << error->text;
    files[std::to_string(texts.size())] = data;
    texts.emplace_back(text);
  }
  for (const auto& [name, said] : judged(files)) EXPECT_EQ(said, "good") << texts[std::stoul(name)];
}

}  // namespace
}  // namespace hastur
