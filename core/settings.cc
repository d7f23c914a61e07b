#include "core/settings.h"

// Nothing throws here: a file that is no TOML comes back as a parse_result.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
// Its parser asserts what a file may lack (a header that is only "["), and says so properly right
// after that.
#define TOML_ASSERT(expr) static_assert(true)

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/suggest.h"

namespace hastur {
namespace {

using Value = std::variant<std::string, std::vector<std::string>, std::uint64_t, bool, Micros>;
using Assignments = std::vector<std::pair<const Section::Key*, Value>>;

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr Unit units[] = {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}};

std::string one_of(const std::vector<std::string>& words) {
  return fmt::format("one of \"{}\"", fmt::join(words, "\", \""));
}

// What the file may hold at this key.
std::string expectation(const Section::Key& key) {
  if (!key.words.empty()) return one_of(key.words);
  if (key.is_bytes) return "a number of bytes or a text like \"16MiB\"";
  switch (key.target.index()) {
    case 0:
      return "a text in quotes";
    case 1:
      return "a list of texts like [\"a\", \"b\"]";
    case 2:
      return "a whole number from 0 up";
    case 3:
      return "true or false";
    default:
      return "a span in quotes like \"5m\"";
  }
}

// The same of a flag, where nothing stands in quotes.
std::string flag_form(const Section::Key& key) {
  if (!key.words.empty()) return one_of(key.words);
  if (key.is_bytes) return "a number of bytes like 1048576 or 16MiB";
  if (key.target.index() == 1) return "texts with commas between them, like a,b";
  if (key.target.index() == 4) return "a span like 90s, 5m or 7d";
  return key.target.index() == 0 ? "a text" : expectation(key);
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

// What the file holds instead, for the error.
std::string shown(const toml::node& node) {
  if (const auto* text = node.as_string()) return in_quotes(text->get());
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* list = node.as_array()) {
    for (const toml::node& each : *list) {
      if (!each.is_string()) return fmt::format("a list with {} in it", shown(each));
    }
    return "a list";
  }
  if (node.is_table()) return "a table";
  return "a date or time";
}

// A value that is written as text, in the file and in a flag alike. Nothing if `key` is not written
// so or `text` does not fit.
std::optional<Value> value_of_text(const Section::Key& key, std::string_view text) {
  if (!key.words.empty()) {
    if (std::find(key.words.begin(), key.words.end(), text) == key.words.end()) return std::nullopt;
    return Value(std::string(text));
  }
  if (std::holds_alternative<std::string*>(key.target)) return Value(std::string(text));
  if (key.is_bytes) {
    if (const auto bytes = parse_bytes(text)) return Value(*bytes);
  } else if (std::holds_alternative<Micros*>(key.target)) {
    if (const auto span = parse_span(text)) return Value(*span);
  }
  return std::nullopt;
}

std::optional<Value> value_of_node(const Section::Key& key, const toml::node& node) {
  if (const auto* text = node.as_string()) return value_of_text(key, text->get());
  if (const auto* number = node.as_integer()) {
    if (!std::holds_alternative<std::uint64_t*>(key.target) || number->get() < 0)
      return std::nullopt;
    return Value(static_cast<std::uint64_t>(number->get()));
  }
  if (const auto* truth = node.as_boolean()) {
    if (!std::holds_alternative<bool*>(key.target)) return std::nullopt;
    return Value(truth->get());
  }
  if (const auto* array = node.as_array()) {
    if (!std::holds_alternative<std::vector<std::string>*>(key.target)) return std::nullopt;
    std::vector<std::string> texts;
    for (const toml::node& element : *array) {
      const auto* text = element.as_string();
      if (text == nullptr) return std::nullopt;
      texts.push_back(text->get());
    }
    return Value(std::move(texts));
  }
  return std::nullopt;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::optional<Value> value_of_flag(const Section::Key& key, std::string_view text) {
  if (std::holds_alternative<std::vector<std::string>*>(key.target)) return Value(split_list(text));
  if (std::holds_alternative<bool*>(key.target)) {
    if (text == "true") return Value(true);
    if (text == "false") return Value(false);
    return std::nullopt;
  }
  if (std::holds_alternative<std::uint64_t*>(key.target) && !key.is_bytes) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return Value(number);
  }
  return value_of_text(key, text);
}

void assign(const Assignments& assignments) {
  for (const auto& [key, value] : assignments) {
    std::visit(
        [&value = value](auto* target) {
          using Held = std::remove_reference_t<decltype(*target)>;
          *target = std::get<Held>(value);
        },
        key->target);
  }
}

const Section::Key* find_key(const Section& section, std::string_view name) {
  for (const Section::Key& key : section.keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

// "did you mean …", or the known words when none is near.
std::string hint(std::string_view word, const std::vector<std::string>& known) {
  if (const std::string near = nearest(word, known); !near.empty()) {
    return fmt::format("did you mean {}?", in_quotes(near));
  }
  if (known.empty()) return "it takes none";
  return fmt::format("it takes {}", fmt::join(known, ", "));
}

class FileReader {
 public:
  FileReader(const std::map<std::string, Section>& sections,
             const std::vector<std::string>& parents, const std::vector<std::string>& allowed,
             bool pass_over_unknown, const std::string& source)
      : sections_(sections),
        parents_(parents),
        allowed_(allowed),
        pass_over_unknown_(pass_over_unknown),
        source_(source) {}

  // Fills assignments() from a table that stands at `path` ("" for the file itself).
  Result<void> read(const std::string& path, const toml::table& table) {
    const auto section = sections_.find(path);
    for (const auto& [toml_key, node] : table) {
      const std::string name(toml_key.str());
      const std::string inner = path.empty() ? name : fmt::format("{}.{}", path, name);
      if (section != sections_.end()) {
        if (const Section::Key* key = find_key(section->second, name)) {
          auto value = value_of_node(*key, node);
          if (!value) {
            return at(node, fmt::format("[{}] {} takes {}, not {}", path, name, expectation(*key),
                                        shown(node)));
          }
          assignments_.emplace_back(key, std::move(*value));
          continue;
        }
      }
      if (is_allowed(inner)) continue;
      if (const toml::table* subtable = node.as_table();
          subtable != nullptr && leads_somewhere(inner)) {
        HASTUR_TRY(read(inner, *subtable));
        continue;
      }
      if (pass_over_unknown_) continue;
      return unknown(path, name, node, toml_key.source());
    }
    return {};
  }

  const Assignments& assignments() const { return assignments_; }

 private:
  Failure at(const toml::node& node, const std::string& what) const {
    return at(node.source(), what);
  }
  Failure at(const toml::source_region& region, const std::string& what) const {
    return fail(ErrorCode::invalid, fmt::format("{}:{}: {}", source_, region.begin.line, what));
  }

  bool is_allowed(const std::string& path) const {
    return std::any_of(allowed_.begin(), allowed_.end(), [&](const std::string& name) {
      if (!name.ends_with(".*")) return path == name;
      const std::string parent = name.substr(0, name.size() - 2);
      return path == parent || path.starts_with(parent + ".");
    });
  }

  // Whether `path` is a section, has one below it or could have.
  bool leads_somewhere(const std::string& path) const {
    if (std::find(parents_.begin(), parents_.end(), path) != parents_.end()) return true;
    const auto section = sections_.lower_bound(path);
    return section != sections_.end() &&
           (section->first == path || section->first.starts_with(path + "."));
  }

  Failure unknown(const std::string& path, const std::string& name, const toml::node& node,
                  const toml::source_region& region) const {
    std::vector<std::string> known;
    if (const auto section = sections_.find(path); section != sections_.end() && !node.is_table()) {
      for (const Section::Key& key : section->second.keys()) known.push_back(key.name);
      return at(region, fmt::format("unknown key {} in [{}]; {}", in_quotes(name), path,
                                    hint(name, known)));
    }
    if (const auto* list = node.as_array();
        list != nullptr && list->is_array_of_tables() && sections_.contains(name)) {
      return at(region, fmt::format("[[{0}]] begins a list of sections, and there is one: write "
                                    "[{0}]",
                                    name));
    }
    if (!node.is_table() && std::ranges::find(parents_, path) != parents_.end()) {
      return at(region, fmt::format("[{0}] has no keys of its own: {1} belongs to a section like "
                                    "[{0}.NAME]",
                                    path, in_quotes(name)));
    }
    if (!node.is_table()) {
      return at(
          region,
          fmt::format("{} stands outside of a section; a section begins with a line like [{}]",
                      in_quotes(name), sections_.empty() ? "name" : sections_.begin()->first));
    }
    for (const auto& [section_name, section] : sections_) known.push_back(section_name);
    for (const std::string& parent : parents_) known.push_back(parent);
    for (const std::string& allowed : allowed_) known.push_back(allowed);
    const std::string full = path.empty() ? name : path + "." + name;
    return at(region, fmt::format("unknown section [{}]; {}", full, hint(full, known)));
  }

  const std::map<std::string, Section>& sections_;
  // Of families.
  const std::vector<std::string>& parents_;
  const std::vector<std::string>& allowed_;
  const bool pass_over_unknown_;
  const std::string& source_;
  Assignments assignments_;
};

}  // namespace

void Section::add(Key key) {
  HASTUR_CHECK(find_key(*this, key.name) == nullptr, "a key is declared once in its section");
  keys_.push_back(std::move(key));
}

void Section::text(std::string name, std::string* value, std::string help, bool flag) {
  add({std::move(name), std::move(help), flag, {}, value, false});
}
void Section::list(std::string name, std::vector<std::string>* value, std::string help, bool flag) {
  add({std::move(name), std::move(help), flag, {}, value, false});
}
void Section::number(std::string name, std::uint64_t* value, std::string help, bool flag) {
  add({std::move(name), std::move(help), flag, {}, value, false});
}
void Section::truth(std::string name, bool* value, std::string help, bool flag) {
  add({std::move(name), std::move(help), flag, {}, value, false});
}
void Section::span(std::string name, Micros* value, std::string help, bool flag) {
  add({std::move(name), std::move(help), flag, {}, value, false});
}
void Section::bytes(std::string name, std::uint64_t* value, std::string help, bool flag) {
  add({std::move(name), std::move(help), flag, {}, value, true});
}
void Section::choice(std::string name, std::string* value, std::vector<std::string> words,
                     std::string help, bool flag) {
  HASTUR_CHECK(!words.empty(), "a choice has words");
  add({std::move(name), std::move(help), flag, std::move(words), value, false});
}

std::string Section::Key::current() const {
  if (const auto* text = std::get_if<std::string*>(&target)) return **text;
  if (const auto* list = std::get_if<std::vector<std::string>*>(&target)) {
    return fmt::format("{}", fmt::join(**list, ","));
  }
  if (const auto* number = std::get_if<std::uint64_t*>(&target)) {
    return is_bytes ? format_bytes(**number) : std::to_string(**number);
  }
  if (const auto* truth = std::get_if<bool*>(&target)) return **truth ? "true" : "false";
  return format_span(**std::get_if<Micros*>(&target));
}

std::string Section::Key::takes() const {
  if (!words.empty()) return fmt::format("{}", fmt::join(words, "|"));
  if (is_bytes) return "BYTES";
  switch (target.index()) {
    case 0:
      return "TEXT";
    case 1:
      return "TEXT,…";
    case 2:
      return "NUMBER";
    case 3:
      return "true|false";
    default:
      return "SPAN";
  }
}

Section& Settings::section(const std::string& name) { return sections_[name]; }

void Settings::allow(std::vector<std::string> names) {
  allowed_.insert(allowed_.end(), std::make_move_iterator(names.begin()),
                  std::make_move_iterator(names.end()));
}

void Settings::family(std::string parent, std::string by, Declare declare) {
  families_.push_back({std::move(parent), std::move(by), std::move(declare)});
}

Result<void> Settings::read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // A folder can be opened, but not read.
  if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad())) {
    const int cause = errno;
    return fail(cause == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
                fmt::format("cannot read {}: {}", path, std::generic_category().message(cause)));
  }
  file.clear();
  text << file.rdbuf();
  return read_text(text.str(), path);
}

Result<void> Settings::read_text(std::string_view text, const std::string& source) {
  const toml::parse_result parsed = toml::parse(text, source);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(ErrorCode::invalid, fmt::format("{}:{}: not TOML: {}", source,
                                                error.source().begin.line, error.description()));
  }
  std::vector<std::string> parents;
  for (const Family& family : families_) {
    parents.push_back(family.parent);
    const toml::table* members = parsed.table()[family.parent].as_table();
    if (members == nullptr) continue;
    for (const auto& [name, node] : *members) {
      const toml::table* member = node.as_table();
      if (member == nullptr) continue;
      const auto declared =
          family.declare(std::string(name.str()), (*member)[family.by].value_or(std::string()),
                         section(fmt::format("{}.{}", family.parent, name.str())));
      if (!declared) {
        return fail(ErrorCode::invalid, fmt::format("{}:{}: {}", source, name.source().begin.line,
                                                    declared.error().message));
      }
    }
  }
  FileReader reader(sections_, parents, allowed_, pass_over_unknown_, source);
  HASTUR_TRY(reader.read("", parsed.table()));
  assign(reader.assignments());
  return {};
}

Result<void> Settings::set(const std::string& section, const std::string& key,
                           std::string_view value) {
  const auto found = sections_.find(section);
  const Section::Key* known = found == sections_.end() ? nullptr : find_key(found->second, key);
  HASTUR_CHECK(known != nullptr, "a flag sets a key that is declared");
  auto parsed = value_of_flag(*known, value);
  if (!parsed) {
    std::string flag = key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    return fail(ErrorCode::invalid,
                fmt::format("--{} takes {}, not {}", flag, flag_form(*known), in_quotes(value)));
  }
  assign({{known, std::move(*parsed)}});
  return {};
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const auto refused = [&] {
    return fail(ErrorCode::invalid,
                fmt::format("{} is no size; write a number of bytes, or one with KiB, MiB or GiB",
                            in_quotes(text)));
  };
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return refused();
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty()) return number;
  for (const Unit& known : units) {
    if (unit != known.name) continue;
    if (number > UINT64_MAX / known.bytes) return refused();
    return number * known.bytes;
  }
  return refused();
}

std::string format_bytes(std::uint64_t bytes) {
  for (const Unit& unit : units) {
    if (bytes != 0 && bytes % unit.bytes == 0)
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
  }
  return std::to_string(bytes);
}

}  // namespace hastur
