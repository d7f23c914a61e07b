#include "trigger-test/script_lines.h"

#include <algorithm>
#include <cctype>

namespace hastur {
namespace {

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

ScriptLines::ScriptLines(const TriggerFiles& trigger) {
  sources_[trigger.script.path] = split_lines(trigger.script.text);
  for (const ScriptFile& library : trigger.libraries)
    sources_[library.path] = split_lines(library.text);
}

std::string ScriptLines::at(const std::string& script, std::uint32_t line) const {
  const auto source = sources_.find(script);
  if (source == sources_.end() || line == 0 || line > source->second.size()) return "";
  const std::string& text = source->second[line - 1];
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

bool mentions(std::string_view source, std::string_view name) {
  const auto is_word = [&](std::size_t at) {
    return at < source.size() &&
           (std::isalnum(static_cast<unsigned char>(source[at])) != 0 || source[at] == '_');
  };
  for (std::size_t at = source.find(name); at != std::string_view::npos;
       at = source.find(name, at + 1)) {
    if ((at == 0 || !is_word(at - 1)) && !is_word(at + name.size())) return true;
  }
  return false;
}

}  // namespace hastur
