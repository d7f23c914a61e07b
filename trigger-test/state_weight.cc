#include "trigger-test/state_weight.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hastur {
namespace {

std::size_t weight_of(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() + 2;
  if (!value.is_structured()) return 8;
  std::size_t weight = 2;
  for (const auto& [key, each] : value.items())
    weight += weight_of(each) + (value.is_object() ? key.size() : 0);
  return weight;
}

std::size_t heaviest(const Json& value) {
  std::size_t most = 0;
  for (const auto& [key, each] : value.items()) most = std::max(most, weight_of(each));
  return most;
}

}  // namespace

std::string words_of(const StatePath& path) {
  std::string words = "state";
  for (const std::string& key : path)
    words += key.starts_with('@') ? fmt::format("[\"{}\"]", key) : "." + key;
  return words;
}

bool is_of_helper(const StatePath& path) { return !path.empty() && path[0].starts_with('@'); }

std::string helper_name(const StatePath& path) { return path[0].substr(path[0].find('.') + 1); }

std::string helper_kind(const StatePath& path) { return path[0].substr(1, path[0].find('.') - 1); }

std::set<std::string> bounded_helpers(const Loaded& loaded) {
  std::set<std::string> keys;
  for (const HelperSpec& helper : loaded.helpers) {
    constexpr std::string_view word = " max ";
    const std::size_t at = helper.declared.find(word);
    if (at == std::string::npos) continue;
    const char* begin = helper.declared.data() + at + word.size();
    std::uint64_t most = 0;
    std::from_chars(begin, helper.declared.data() + helper.declared.size(), most);
    if (most > 0) keys.insert(helper.state_key);
  }
  return keys;
}

std::size_t state_weight(const Json& state, const std::set<std::string>& bounded) {
  std::size_t weight = 0;
  for (const auto& [key, each] : state.items())
    weight += key.size() + (bounded.contains(key) ? heaviest(each) : weight_of(each));
  return weight;
}

StatePath growing_path(const Json& before, const Json& after,
                       const std::set<std::string>& bounded) {
  StatePath path;
  const Json* one = &before;
  const Json* other = &after;
  while (one->is_object() && other->is_object()) {
    const std::string* most = nullptr;
    std::size_t most_weight = 0;
    static const Json none;
    const auto weight = [&](const std::string& key, const Json& value) {
      return path.empty() && bounded.contains(key) ? heaviest(value) : weight_of(value);
    };
    for (auto entry = other->begin(); entry != other->end(); ++entry) {
      const auto old = one->find(entry.key());
      const std::size_t then = old == one->end() ? 0 : weight(entry.key(), *old);
      const std::size_t now = weight(entry.key(), *entry);
      if (now <= then || now - then < most_weight) continue;
      most_weight = now - then;
      most = &entry.key();
    }
    if (most == nullptr) return path;
    // What helpers keep is told as a whole.
    if (path.empty() && most->starts_with('@')) return {*most};
    // Many parts that are new: it is this table that grows.
    if (!one->contains(*most) || 2 * most_weight < weight_of(*other) - weight_of(*one)) return path;
    path.push_back(*most);
    one = &one->at(*most);
    other = &other->at(*most);
  }
  return path;
}

const Json* part_at(const Json& state, const StatePath& path) {
  const Json* part = &state;
  for (const std::string& key : path) {
    if (!part->is_object() || !part->contains(key)) return nullptr;
    part = &part->at(key);
  }
  return part;
}

Json* part_at(Json& state, const StatePath& path) {
  return const_cast<Json*>(part_at(std::as_const(state), path));
}

}  // namespace hastur
