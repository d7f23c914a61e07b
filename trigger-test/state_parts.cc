#include "trigger-test/state_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace hastur {
namespace {

// Of tables in one another.
constexpr std::size_t depth_max = 5;
// A key with more digits is a time, and there are older ones.
constexpr std::size_t counted_digits_max = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has_numbers_for_keys(const Json& table) {
  for (const auto& [key, value] : table.items()) {
    if (key.empty() || key.size() > 6 || !std::ranges::all_of(key, is_digit)) return false;
  }
  return table.is_object();
}

// "i17" is 17 behind "i".
struct NumberedKey {
  std::string_view before;
  std::size_t digits = 0;
  std::int64_t number = 0;
};

std::optional<NumberedKey> numbered(std::string_view key) {
  std::size_t begin = key.size();
  while (begin > 0 && is_digit(key[begin - 1])) --begin;
  NumberedKey result{key.substr(0, begin), key.size() - begin, 0};
  if (result.digits == 0 || result.digits > 18) return std::nullopt;
  std::from_chars(key.data() + begin, key.data() + key.size(), result.number);
  return result;
}

// The lowest and the highest number of keys that differ in nothing else; nothing if they do.
struct KeyRange {
  std::string before;
  bool are_times = false;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

std::optional<KeyRange> range_of(const Json& table) {
  std::optional<KeyRange> range;
  for (const auto& [key, unused] : table.items()) {
    const auto one = numbered(key);
    if (!one || (range && one->before != range->before)) return std::nullopt;
    if (!range) range = {std::string(one->before), false, one->number, one->number};
    range->are_times = range->are_times || one->digits > counted_digits_max;
    range->first = std::min(range->first, one->number);
    range->last = std::max(range->last, one->number);
  }
  return range;
}

std::size_t text_bytes_of(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size();
  std::size_t bytes = 0;
  if (!value.is_structured()) return bytes;
  for (const auto& [unused, each] : value.items()) {
    if (each.is_string()) bytes += each.get_ref<const std::string&>().size();
  }
  return bytes;
}

std::size_t size_of(const Json& value) {
  return value.is_string() ? value.get_ref<const std::string&>().size() : value.size();
}

void find(const Json& before, const Json& after, StatePath& path, std::vector<GrowingPart>& parts) {
  const auto add = [&](GrowingPart::Kind kind) {
    parts.push_back(
        {kind, path, size_of(after), text_bytes_of(after), canonical_json(after).size()});
  };
  using Kind = GrowingPart::Kind;
  if (before.type() != after.type()) return;
  const bool is_larger = size_of(after) > size_of(before);
  if (after.is_array() && is_larger) return add(Kind::list);
  if (after.is_string() && is_larger && !is_of_helper(path)) return add(Kind::text);
  if (!after.is_object() || path.size() > depth_max) return;
  if (!path.empty() && is_larger && has_numbers_for_keys(after)) return add(Kind::places);
  if (!path.empty() && 4 * size_of(after) > 5 * size_of(before) && !is_of_helper(path))
    return add(Kind::table);
  for (const auto& [key, value] : after.items()) {
    const auto old = before.find(key);
    if (old == before.end()) continue;
    path.push_back(key);
    find(*old, value, path, parts);
    path.pop_back();
  }
}

void enlarge_table(Json& table, GrowingPart::Kind kind, std::size_t size) {
  std::vector<Json> values;
  std::vector<std::string> keys;
  for (const auto& [key, value] : table.items()) {
    keys.push_back(key);
    values.push_back(value);
  }
  const auto range = kind == GrowingPart::Kind::table ? range_of(table) : std::nullopt;
  for (std::size_t i = 0; table.size() < size; ++i) {
    const auto number = static_cast<std::int64_t>(i) + 1;
    std::string key = std::to_string(i);
    if (range) {
      key = fmt::format("{}{}", range->before,
                        range->are_times ? range->first - number : range->last + number);
    } else if (kind == GrowingPart::Kind::table) {
      key = fmt::format("{}~{}", keys[i % keys.size()], i);
    }
    table.emplace(std::move(key), values[i % values.size()]);
  }
}

void enlarge_value(Json& value, GrowingPart::Kind kind, std::size_t size) {
  if (value.is_string()) {
    const std::string had = value;
    std::string longer = had;
    while (!had.empty() && longer.size() < size) longer += had;
    value = std::move(longer);
  } else if (value.is_object()) {
    enlarge_table(value, kind, size);
  } else {
    const auto had = value.get_ref<const Json::array_t&>();
    Json::array_t longer;
    longer.reserve(size);
    for (std::size_t missing = size - std::min(size, had.size()); missing > 0; --missing)
      longer.push_back(had[missing % had.size()]);
    longer.insert(longer.end(), had.begin(), had.end());
    value = std::move(longer);
  }
}

// What a number beside a value may say of it.
struct Said {
  explicit Said(const Json& value)
      : size(static_cast<double>(size_of(value))),
        text_bytes(static_cast<double>(text_bytes_of(value))) {
    if (!value.is_object()) return;
    if (const auto range = range_of(value)) last = static_cast<double>(range->last);
  }
  double size;
  double text_bytes;
  double last = -1;
};

}  // namespace

std::vector<GrowingPart> growing_parts(const Json& before, const Json& after) {
  std::vector<GrowingPart> parts;
  StatePath path;
  find(before, after, path, parts);
  std::erase_if(parts, [](const GrowingPart& part) { return part.size == 0; });
  return parts;
}

std::size_t size_of(const std::vector<GrowingPart>& parts, const Json& state) {
  std::size_t size = 0;
  for (const GrowingPart& part : parts) {
    const Json* value = part_at(state, part.path);
    if (value != nullptr && (value->is_structured() || value->is_string())) size += size_of(*value);
  }
  return size;
}

void enlarge(Json& state, const GrowingPart& part, std::size_t size) {
  Json* value = part_at(state, part.path);
  if (value == nullptr || size_of(*value) == 0 || size_of(*value) >= size) return;
  const Said before(*value);
  enlarge_value(*value, part.kind, size);
  const Said after(*value);
  const StatePath beside(part.path.begin(), part.path.end() - 1);
  if (is_of_helper(part.path) && beside.empty()) return;
  for (auto& [key, each] : part_at(state, beside)->items()) {
    if (!each.is_number()) continue;
    const double number = each.get<double>();
    if (number < 8) continue;
    if (std::abs(number - before.size) <= 1) {
      each = number - before.size + after.size;
    } else if (before.text_bytes > 0 && number == before.text_bytes) {
      each = after.text_bytes;
    } else if (std::abs(number - before.last) <= 1) {
      each = number - before.last + after.last;
    }
  }
}

}  // namespace hastur
