#include "trigger-runtime/sources/ref_update.h"

namespace hastur {
namespace {

bool is_nothing(std::string_view commit) {
  return commit.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

bool RefUpdate::is_new() const { return is_nothing(before); }

bool RefUpdate::is_delete() const { return is_nothing(after); }

std::string_view RefUpdate::branch() const {
  constexpr std::string_view branches = "refs/heads/";
  const std::string_view name = ref;
  return name.starts_with(branches) ? name.substr(branches.size()) : std::string_view();
}

std::optional<RefUpdate> parse_ref_update(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || second + 1 == line.size()) return std::nullopt;
  return RefUpdate{std::string(line.substr(0, first)),
                   std::string(line.substr(first + 1, second - first - 1)),
                   std::string(line.substr(second + 1))};
}

}  // namespace hastur
