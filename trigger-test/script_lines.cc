#include "trigger-test/script_lines.h"

#include <algorithm>
#include <cctype>

#include "trigger-test/lua_tokens.h"

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
  scopes_.emplace(trigger.script.path, LocalScopes(trigger.script.text));
  for (const ScriptFile& library : trigger.libraries) {
    sources_[library.path] = split_lines(library.text);
    scopes_.emplace(library.path, LocalScopes(library.text));
  }
  const std::vector<LuaToken> tokens = lua_tokens(trigger.script.text);
  const auto made_from = [&](std::string_view what) {
    std::vector<std::string> names;
    for (std::size_t i = 2; i < tokens.size(); ++i) {
      const bool is_name = tokens[i - 2].kind == LuaToken::Kind::word;
      if (tokens[i].is(what) && tokens[i - 1].is('=') && is_name)
        names.emplace_back(tokens[i - 2].text);
    }
    return names;
  };
  for (const std::string& context : made_from("hastur.trigger")) {
    const std::vector<std::string> locals = made_from(context + ".state");
    state_names_.push_back(context + ".state");
    state_names_.insert(state_names_.end(), locals.begin(), locals.end());
    state_names_.push_back(context);
  }
}

std::string ScriptLines::at(const std::string& script, std::uint32_t line) const {
  const auto source = sources_.find(script);
  if (source == sources_.end() || line == 0 || line > source->second.size()) return "";
  const std::string& text = source->second[line - 1];
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

bool ScriptLines::has_local(const CallStep& step, std::string_view name) const {
  const auto scopes = scopes_.find(step.script);
  return scopes == scopes_.end() || scopes->second.is_alive(name, step.line);
}

std::vector<std::string> fields_of(const std::string& source, const std::string& name) {
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  std::vector<std::string> fields;
  for (std::size_t at = source.find(name + "."); at != std::string::npos;
       at = source.find(name + ".", at + 1)) {
    if (at > 0 && (is_name(source[at - 1]) || source[at - 1] == '.')) continue;
    std::size_t end = at + name.size() + 1;
    while (end < source.size() &&
           (is_name(source[end]) ||
            (source[end] == '.' && end + 1 < source.size() && is_name(source[end + 1]))))
      ++end;
    const std::string field = source.substr(at + name.size() + 1, end - at - name.size() - 1);
    const bool is_call = end < source.size() && (source[end] == '(' || source[end] == ':');
    if (!field.empty() && !is_call && std::ranges::find(fields, field) == fields.end())
      fields.push_back(field);
  }
  return fields;
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
