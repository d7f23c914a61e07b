#include "trigger-test/hunt_places.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <set>
#include <string_view>

#include "trigger-test/script_words.h"
#include "trigger-test/state_weight.h"

namespace hastur {
namespace {

// The end of what hangs on a name: `.key`, `[key]`, spaces.
std::size_t end_of_path(std::string_view line, std::size_t at) {
  while (at < line.size()) {
    if (line[at] == '[') {
      std::size_t open = 0;
      do {
        if (line[at] == '[') ++open;
        if (line[at] == ']') --open;
        ++at;
      } while (open > 0 && at < line.size());
    } else if (line[at] == '.' || line[at] == ' ' || is_name_letter(line[at])) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

// Whether the line writes something that `name` stands for: NAME… = or insert(NAME…
bool writes(std::string_view line, std::string_view name) {
  for (std::size_t at = find_word(line, name); at != std::string_view::npos;
       at = find_word(line, name, at + 1)) {
    std::size_t end = end_of_path(line, at);
    // One of several: a.x, b.y = 1, 2
    while (end < line.size() && line[end] == ',') end = end_of_path(line, end + 1);
    const bool compares = end + 1 < line.size() && line[end + 1] == '=';
    if (end < line.size() && line[end] == '=' && !compares) return true;
    const std::string_view before = line.substr(0, at);
    const std::size_t call = before.rfind('(');
    const std::string_view function = before.substr(0, call == std::string_view::npos ? 0 : call);
    if (function.ends_with("insert") || function.ends_with("remove")) return true;
  }
  return false;
}

// Whether it takes something out: what grows, or is wrong, does not come of that.
bool removes(std::string_view line) {
  return line.find("remove(") != std::string_view::npos ||
         line.find("= nil") != std::string_view::npos;
}

// The NAME of `local NAME = …`; empty if it is no such line.
std::string_view new_local(std::string_view line) {
  if (!line.starts_with("local ")) return {};
  std::size_t end = 6;
  while (end < line.size() && is_name_letter(line[end])) ++end;
  return line.substr(6, end - 6);
}

}  // namespace

std::vector<std::string> keys_of(const std::string& path) {
  std::vector<std::string> keys;
  for (const auto part : std::views::split(path, '.')) {
    const std::string_view key(part.begin(), part.end());
    keys.emplace_back(key.substr(0, key.find('[')));
  }
  if (!keys.empty() && (keys[0] == "state" || keys[0].empty())) keys.erase(keys.begin());
  return keys;
}

FilePlace place_that_wrote(const TriggerFiles& trigger, const ObservedCall& call,
                           const std::string& path, Wrote wrote) {
  if (call.steps.empty()) return {};
  const auto shown = [&](const CallStep& step) {
    return FilePlace{trigger.shown(step.script), step.line};
  };
  const auto text = [&](const CallStep& step) {
    return source_line(trigger, step.script, step.line);
  };
  std::vector<std::string> keys = keys_of(path);
  keys.insert(keys.begin(), "state");
  for (const std::string& key : keys | std::views::reverse) {
    std::optional<std::size_t> named, removed;
    for (std::size_t i = call.steps.size(); i-- > 0;) {
      const std::string_view line = text(call.steps[i]);
      const std::string_view local = new_local(line);
      if (local.empty() && writes(line, key)) {
        if (wrote == Wrote::anything || !removes(line)) return shown(call.steps[i]);
        if (!removed) removed = i;
      }
      if (!named && find_word(line, key) != std::string_view::npos) named = i;
      if (local.empty() || find_word(line, key) == std::string_view::npos) continue;
      // It has got another name, under which it is written further on.
      for (std::size_t later = call.steps.size(); later-- > i + 1;) {
        const std::string_view written = text(call.steps[later]);
        if (writes(written, local) && (wrote == Wrote::anything || !removes(written)))
          return shown(call.steps[later]);
      }
    }
    if (removed) return shown(call.steps[*removed]);
    if (named) return shown(call.steps[*named]);
  }
  return shown(call.steps.front());
}

FilePlace place_that_told(const TriggerFiles& trigger, const ObservedCall& call,
                          const std::string& helper) {
  // NAME = ctx:keyed("helper", …
  std::set<std::string_view> names;
  const auto note = [&](const ScriptFile& script) {
    std::string_view text = script.text;
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const std::size_t made = line.find("ctx:");
      if (made == std::string_view::npos || line.find(helper, made) == std::string_view::npos)
        continue;
      std::size_t end = line.substr(0, made).find_last_not_of(" =(");
      if (end == std::string_view::npos) continue;
      std::size_t begin = ++end;
      while (begin > 0 && is_name_letter(line[begin - 1])) --begin;
      if (begin < end) names.insert(line.substr(begin, end - begin));
    }
  };
  note(trigger.script);
  for (const ScriptFile& library : trigger.libraries) note(library);
  const auto text = [&](const CallStep& step) {
    return source_line(trigger, step.script, step.line);
  };
  for (std::size_t i = call.steps.size(); i-- > 0;) {
    const std::string_view line = text(call.steps[i]);
    for (const std::string_view name : names) {
      const std::size_t at = find_word(line, name);
      if (at == std::string_view::npos || line.substr(at + name.size(), 1) != ":") continue;
      // It gave a value to a local, which is written further on.
      const std::string_view local = new_local(line);
      for (std::size_t later = call.steps.size(); !local.empty() && later-- > i + 1;) {
        if (writes(text(call.steps[later]), local))
          return {trigger.shown(call.steps[later].script), call.steps[later].line};
      }
      return {trigger.shown(call.steps[i].script), call.steps[i].line};
    }
  }
  return call.steps.empty()
             ? FilePlace{}
             : FilePlace{trigger.shown(call.steps.front().script), call.steps.front().line};
}

const ObservedCall* call_that_broke(const std::vector<ObservedCall>& calls) {
  for (const ObservedCall& call : calls | std::views::reverse) {
    if (call.after.is_null() && !call.before.is_null()) return &call;
  }
  for (const ObservedCall& call : calls | std::views::reverse) {
    if (call.before != call.after) return &call;
  }
  return nullptr;
}

const ObservedCall* call_that_wrote(const std::vector<ObservedCall>& calls,
                                    const std::string& path) {
  return call_that_wrote(calls, keys_of(path));
}

const ObservedCall* call_that_wrote(const std::vector<ObservedCall>& calls,
                                    const std::vector<std::string>& keys) {
  for (const ObservedCall& call : calls | std::views::reverse) {
    const Json* before = part_at(call.before, keys);
    const Json* after = part_at(call.after, keys);
    const bool changed = (before == nullptr) != (after == nullptr) ||
                         (before != nullptr && after != nullptr && *before != *after);
    if (changed) return &call;
  }
  return nullptr;
}

}  // namespace hastur
