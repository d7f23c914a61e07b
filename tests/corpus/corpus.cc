#include "tests/corpus/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/check.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> verdicts_known{"refused",   "raised", "instructions", "memory",
                                           "judgement", "killed", "harmless"};

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::vector<fs::path> lua_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".lua") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

HostileScript read_script(const fs::path& path) {
  HostileScript script;
  script.name = path.stem();
  script.text = read_file(path);
  script.script = path.filename();
  std::map<std::string, std::string> fields;
  std::size_t at = 0;
  while (script.text.compare(at, 3, "-- ") == 0) {
    const std::size_t end = script.text.find('\n', at);
    const std::string line = script.text.substr(at + 3, end - at - 3);
    const std::size_t colon = line.find(": ");
    HASTUR_CHECK(colon != std::string::npos, "a header line of the corpus is no field");
    fields[line.substr(0, colon)] = line.substr(colon + 2);
    at = end + 1;
  }
  for (const auto& [field, value] : fields) {
    if (field == "tries") {
      script.tries = value;
    } else if (field == "verdict") {
      script.verdicts = split(value, '|');
    } else if (field == "line") {
      script.line = static_cast<std::uint32_t>(std::stoul(value));
    } else if (field == "text") {
      script.error = value;
    } else if (field == "script") {
      script.script = value;
    } else if (field == "state") {
      script.state = value;
    } else if (field == "effects") {
      script.effects = std::stoull(value);
    } else if (field == "waits") {
      script.waits = value;
    } else {
      HASTUR_CHECK(field == "header", "a header of the corpus has an unknown field");
      script.text.erase(0, at);
    }
  }
  HASTUR_CHECK(!script.tries.empty() && !script.verdicts.empty(),
               "a script of the corpus does not say what it tries or what is due");
  for (const std::string& verdict : script.verdicts) {
    HASTUR_CHECK(verdicts_known.contains(verdict), "a verdict of the corpus is unknown");
  }
  return script;
}

}  // namespace

bool HostileScript::is_due(const std::string& verdict) const {
  return std::ranges::find(verdicts, verdict) != verdicts.end();
}

std::vector<HostileScript> hostile_scripts() {
  std::vector<HostileScript> scripts;
  for (const fs::path& path : lua_files(HASTUR_CORPUS)) scripts.push_back(read_script(path));
  return scripts;
}

std::vector<ScriptFile> hostile_libraries() {
  std::vector<ScriptFile> libraries;
  for (const fs::path& path : lua_files(fs::path(HASTUR_CORPUS) / "lib")) {
    libraries.push_back({"lib/" + path.filename().string(), read_file(path)});
  }
  return libraries;
}

std::string verdict_of(CallError::Kind kind) {
  switch (kind) {
    case CallError::Kind::raised:
      return "raised";
    case CallError::Kind::instructions:
      return "instructions";
    case CallError::Kind::memory:
      return "memory";
    case CallError::Kind::judgement:
      return "judgement";
  }
  return "";
}

}  // namespace hastur
