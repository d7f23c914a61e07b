#include "supervisor/cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json.h"

namespace hastur {
namespace {

bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

}  // namespace

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_code_point(c); }));
}

std::string cut(std::string_view text, std::size_t columns_max) {
  if (columns_of(text) <= columns_max) return std::string(text);
  if (columns_max == 0) return {};
  std::size_t end = 0;
  for (std::size_t columns = 0; end < text.size(); ++end) {
    if (!continues_code_point(text[end]) && columns++ == columns_max - 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string table(const std::vector<std::string>& heading,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  widths.reserve(heading.size());
  for (const std::string& cell : heading) widths.push_back(columns_of(cell));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string out;
  const auto append = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  append(heading);
  for (const auto& row : rows) append(row);
  return out;
}

std::string shown(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return printable(found->is_string() ? found->get<std::string>() : canonical_json(*found));
}

std::string short_count(double count) {
  constexpr const char* suffixes[] = {"", "k", "M", "G", "T"};
  std::size_t suffix = 0;
  while (std::abs(count) >= 999.5 && suffix + 1 < std::size(suffixes)) {
    count /= 1000;
    ++suffix;
  }
  if (suffix == 0 || std::abs(count) >= 9.95)
    return fmt::format("{:.0f}{}", count, suffixes[suffix]);
  return fmt::format("{:.1f}{}", count, suffixes[suffix]);
}

}  // namespace hastur
