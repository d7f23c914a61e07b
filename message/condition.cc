#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/json.h"
#include "core/suggest.h"
#include "message/filter.h"

namespace hastur {
namespace {

const std::array<std::string, 4> range_keys{"above", "at_least", "at_most", "below"};

Failure refused(std::string what) { return fail(ErrorCode::invalid, std::move(what)); }

}  // namespace

// The pieces between stars are found one after the other, each as early as it can be: taking it
// later never helps those after it. So no byte of the text is given back, and memmem looks for a
// piece in linear time.
bool wildcard_match(std::string_view pattern, std::string_view text) {
  const std::size_t first = pattern.find('*');
  if (first == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, first))) return false;
  text.remove_prefix(first);
  pattern.remove_prefix(first + 1);
  for (std::size_t star = pattern.find('*'); star != std::string_view::npos;
       star = pattern.find('*')) {
    const std::string_view piece = pattern.substr(0, star);
    if (!piece.empty()) {
      const void* const found = ::memmem(text.data(), text.size(), piece.data(), piece.size());
      if (found == nullptr) return false;
      text.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) +
                         piece.size());
    }
    pattern.remove_prefix(star + 1);
  }
  return text.ends_with(pattern);
}

Condition Condition::equal_to(const Json& scalar, bool wildcards) {
  Condition condition;
  condition.kind_ = Kind::equals;
  switch (scalar.type()) {
    case Json::value_t::null:
      condition.value_kind_ = Value::Kind::null;
      break;
    case Json::value_t::boolean:
      condition.value_kind_ = Value::Kind::boolean;
      condition.number_ = scalar.get<bool>() ? 1 : 0;
      break;
    case Json::value_t::string:
      condition.value_kind_ = Value::Kind::string;
      condition.text_ = scalar.get_ref<const std::string&>();
      if (wildcards && condition.text_.find('*') != std::string::npos)
        condition.kind_ = Kind::wildcard;
      break;
    default:
      condition.value_kind_ = Value::Kind::number;
      condition.number_ = scalar.get<double>();
      break;
  }
  return condition;
}

Result<Condition> Condition::parse_range(const Json& spec) {
  Condition condition;
  condition.kind_ = Kind::range;
  for (const auto& [key, bound] : spec.items()) {
    std::optional<double>* place = nullptr;
    if (key == "above") place = &condition.above_;
    if (key == "below") place = &condition.below_;
    if (key == "at_least") place = &condition.at_least_;
    if (key == "at_most") place = &condition.at_most_;
    if (place == nullptr) {
      const std::string near = nearest(key, range_keys);
      return refused(
          fmt::format("a range has no key '{}'{}; it knows above, below, at_least, at_most", key,
                      near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
    }
    if (!bound.is_number()) {
      return refused(
          fmt::format("'{}' takes a number, it was given {}", key, canonical_json(bound)));
    }
    *place = bound.get<double>();
  }
  return condition;
}

Result<Condition> Condition::parse_list(const Json& spec, bool wildcards, bool ranges) {
  Condition condition;
  condition.kind_ = Kind::any_of;
  for (const Json& element : spec) {
    if (element.is_primitive()) {
      condition.options_.push_back(equal_to(element, wildcards));
    } else if (ranges && element.is_object() && !element.empty()) {
      auto range = parse_range(element);
      if (!range) return range;
      condition.options_.push_back(std::move(*range));
    } else {
      return refused(
          fmt::format("a list holds strings, numbers, booleans and null{}, it was given {}",
                      ranges ? ", or ranges" : "", canonical_json(element)));
    }
  }
  return condition;
}

Result<Condition> Condition::parse(const Json& spec, bool wildcards, bool ranges) {
  if (spec.is_structured() && spec.empty())
    return refused("an empty table asks for nothing; leave the key out");
  if (spec.is_boolean()) {
    Condition condition;
    condition.kind_ = spec.get<bool>() ? Kind::exists : Kind::absent;
    return condition;
  }
  if (spec.is_array()) return parse_list(spec, wildcards, ranges);
  if (spec.is_object()) {
    if (ranges) return parse_range(spec);
    return refused(fmt::format("it takes a string, true, false or a list, it was given {}",
                               canonical_json(spec)));
  }
  return equal_to(spec, wildcards);
}

bool Condition::holds(const Value& value) const {
  switch (kind_) {
    case Kind::anything:
      return true;
    case Kind::exists:
      return value.kind != Value::Kind::absent;
    case Kind::absent:
      return value.kind == Value::Kind::absent;
    case Kind::equals:
      return value.kind == value_kind_ && value.number == number_ && value.text == text_;
    case Kind::wildcard:
      return value.kind == Value::Kind::string && wildcard_match(text_, value.text);
    case Kind::any_of:
      return std::ranges::any_of(options_,
                                 [&value](const Condition& option) { return option.holds(value); });
    case Kind::range:
      return value.kind == Value::Kind::number && (!above_ || value.number > *above_) &&
             (!below_ || value.number < *below_) && (!at_least_ || value.number >= *at_least_) &&
             (!at_most_ || value.number <= *at_most_);
  }
  return false;
}

std::optional<std::string_view> Condition::exact_string() const {
  if (kind_ == Kind::any_of && options_.size() == 1) return options_[0].exact_string();
  if (kind_ != Kind::equals || value_kind_ != Value::Kind::string) return std::nullopt;
  return text_;
}

std::optional<std::vector<std::string_view>> Condition::exact_strings() const {
  std::vector<std::string_view> strings;
  if (kind_ != Kind::any_of) {
    const auto only = exact_string();
    if (!only) return std::nullopt;
    strings.push_back(*only);
    return strings;
  }
  for (const Condition& option : options_) {
    const auto string = option.exact_string();
    if (!string) return std::nullopt;
    strings.push_back(*string);
  }
  return strings;
}

}  // namespace hastur
