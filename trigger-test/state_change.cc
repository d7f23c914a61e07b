#include "trigger-test/state_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "core/json.h"

namespace hastur {
namespace {

// "a.b", "a[\"b c\"]"
std::string below(const std::string& path, const std::string& key) {
  const bool is_plain = !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '@' || c == '.' || c == '-' || c == '/';
  });
  if (!is_plain) return fmt::format("{}[{}]", path, canonical_json(Json(key)));
  return path.empty() ? key : path + "." + key;
}

// Of a key that a burst holds an alert keeps a number (vm/helpers/alert.h): what it stands for.
Json unfolded(const Json& value, const std::string& key, const Json& keys) {
  const auto burst = keys.find("");
  if (!value.is_number_integer() || burst == keys.end() || !burst->is_object()) return value;
  const std::int64_t open = burst->value("open", std::int64_t{0}) + value.get<std::int64_t>();
  return {{"open", open}, {"t", open}, {"key", key}};
}

// What a helper keeps of a key is one thing.
void compare_helper(const std::string& path, const Json& before, const Json& after,
                    std::vector<StateChange>& changes) {
  std::set<std::string> keys;
  for (const auto& [key, value] : before.items()) keys.insert(key);
  for (const auto& [key, value] : after.items()) keys.insert(key);
  for (const std::string& key : keys) {
    const Json was = unfolded(before.value(key, Json()), key, before);
    const Json is = unfolded(after.value(key, Json()), key, after);
    if (was != is) changes.push_back({below(path, key), was, is, path, key, {}});
  }
}

void compare(const std::string& path, const Json& before, const Json& after,
             std::vector<StateChange>& changes) {
  if (before == after) return;
  if (before.is_object() && after.is_object()) {
    std::set<std::string> keys;
    for (const auto& [key, value] : before.items()) keys.insert(key);
    for (const auto& [key, value] : after.items()) keys.insert(key);
    for (const std::string& key : keys) {
      const bool of_helper = path.empty() && key.starts_with('@');
      const Json absent = of_helper ? Json::object() : Json();
      const Json was = before.value(key, absent);
      const Json is = after.value(key, absent);
      if (of_helper && was.is_object() && is.is_object()) {
        compare_helper(key, was, is, changes);
      } else {
        compare(below(path, key), was, is, changes);
      }
    }
  } else if (before.is_array() && after.is_array() && before.size() == after.size()) {
    for (std::size_t i = 0; i < before.size(); ++i)
      compare(fmt::format("{}[{}]", path, i + 1), before[i], after[i], changes);
  } else {
    changes.push_back({path, before, after, "", "", {}});
  }
}

}  // namespace

std::vector<StateChange> state_changes(const Json& before, const Json& after, DeafSpan deaf) {
  std::vector<StateChange> changes;
  compare("", before, after, changes);
  for (StateChange& change : changes) change.deaf = deaf;
  return changes;
}

}  // namespace hastur
