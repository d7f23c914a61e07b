#include "trigger-test/hunt_unset.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "trigger-test/lua_tokens.h"

namespace hastur {
namespace {

using Tokens = std::span<const LuaToken>;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A part of ctx.state as a script writes it.
struct StatePart {
  // "ctx.state.hosts[msg.host].count", with the name that the script has for what it begins with.
  std::string_view written;
  // "count"; "?" for what stands in brackets, as LuaJIT calls it.
  std::string key;
  // Stands in the state itself, under a name.
  bool is_top = false;
  // The token behind it.
  std::size_t end = 0;
};

// What a script calls its context and parts of its state, and what its state begins with.
class StateNames {
 public:
  explicit StateNames(Tokens tokens) {
    for (std::size_t i = 0; i + 2 < tokens.size(); ++i) {
      if (tokens[i].is('=') && tokens[i + 1].is("hastur.trigger")) {
        if (i > 0) contexts_.emplace(tokens[i - 1].text);
        note_begin(tokens.subspan(i + 2));
      }
    }
    for (std::size_t i = 1; i + 1 < tokens.size(); ++i) note_local(tokens, i);
  }

  // The longest part of the state that begins with this token, and those that it stands in, from
  // the top.
  std::vector<StatePart> parts_at(Tokens tokens, std::size_t at) const {
    std::vector<StatePart> parts;
    const std::string_view word = tokens[at].text;
    if (tokens[at].kind != LuaToken::Kind::word) return parts;
    std::size_t dot = word.find('.');
    const std::string_view first = word.substr(0, dot);
    bool is_state = false;
    if (contexts_.contains(first) &&
        word.substr(0, first.size() + 6) == std::string(first) + ".state") {
      dot = word.find('.', first.size() + 1);
      if (dot == std::string_view::npos && word.size() != first.size() + 6) return parts;
      if (dot != std::string_view::npos && dot != first.size() + 6) return parts;
      is_state = true;
    } else if (const auto local = locals_.find(first); local != locals_.end()) {
      is_state = local->second.key.empty();
    } else {
      return parts;
    }
    const char* const begin = word.data();
    const auto add = [&](const char* end, std::string key) {
      const bool is_top = is_state && parts.empty() && key != "?";
      parts.push_back(
          {{begin, static_cast<std::size_t>(end - begin)}, std::move(key), is_top, at + 1});
    };
    const auto add_names = [&](std::string_view names) {
      while (!names.empty() && names[0] == '.') {
        const std::size_t next = std::min(names.find('.', 1), names.size());
        add(names.data() + next, std::string(names.substr(1, next - 1)));
        names.remove_prefix(next);
      }
    };
    if (dot != std::string_view::npos) add_names(word.substr(dot));
    for (std::size_t i = at + 1; i < tokens.size(); ++i) {
      if (tokens[i].kind == LuaToken::Kind::word && tokens[i].text[0] == '.' && i > at + 1 &&
          tokens[i - 1].is(']')) {
        add_names(tokens[i].text);
        parts.back().end = i + 1;
        continue;
      }
      if (!tokens[i].is('[')) break;
      int depth = 1;
      while (depth > 0 && ++i < tokens.size()) {
        if (tokens[i].is('[')) ++depth;
        if (tokens[i].is(']')) --depth;
      }
      if (depth > 0) break;
      add(tokens[i].text.data() + 1, "?");
      parts.back().end = i + 1;
    }
    return parts;
  }

  // What a local of this name was made of; null if it is no part of the state.
  const StatePart* local(std::string_view name) const {
    const auto found = locals_.find(name);
    return found == locals_.end() || found->second.key.empty() ? nullptr : &found->second;
  }
  bool begins_with(std::string_view key) const { return begins_with_.contains(key); }

 private:
  // hastur.trigger{ …, state = { NAME = …, NAME = … } }
  void note_begin(Tokens tokens) {
    int depth = 0, state_depth = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].is('{') || tokens[i].is('(')) ++depth;
      if (tokens[i].is('}') || tokens[i].is(')')) --depth;
      if (depth <= 0) return;
      if (tokens[i].is('}') && depth < state_depth) state_depth = 0;
      const bool is_entry = i + 2 < tokens.size() && tokens[i + 1].is('=');
      if (!is_entry) continue;
      if (tokens[i].is("state") && tokens[i + 2].is('{')) state_depth = depth + 1;
      if (depth == state_depth) begins_with_.emplace(tokens[i].text);
    }
  }

  // NAME = ctx.state.…, and nothing behind it.
  void note_local(Tokens tokens, std::size_t equals) {
    const LuaToken& name = tokens[equals - 1];
    if (!tokens[equals].is('=') || name.kind != LuaToken::Kind::word || has(name.text, ".")) return;
    if (equals >= 2 && tokens[equals - 2].is(',')) return;
    static const std::string_view more = "+-*/%^.:(=~<>";
    const auto ends_at = [&](std::size_t end) {
      if (end >= tokens.size()) return true;
      if (tokens[end].kind == LuaToken::Kind::sign) return !has(more, tokens[end].text);
      return !tokens[end].is("or") && !tokens[end].is("and");
    };
    const auto parts = parts_at(tokens, equals + 1);
    if (!parts.empty()) {
      if (ends_at(parts.back().end)) locals_.emplace(name.text, parts.back());
    } else if (is_state(tokens[equals + 1].text) && ends_at(equals + 2)) {
      locals_.emplace(name.text, StatePart{});
    }
  }

  bool is_state(std::string_view word) const {
    return word.ends_with(".state") && contexts_.contains(word.substr(0, word.size() - 6));
  }

  std::set<std::string_view> contexts_;
  std::map<std::string_view, StatePart> locals_;
  std::set<std::string_view> begins_with_;
};

// "total" of "attempt to perform arithmetic on field 'total' (a nil value)".
std::string_view name_after(std::string_view text, std::string_view kind) {
  const std::size_t at = text.find(kind);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + kind.size());
  return rest.substr(0, rest.find('\''));
}

// The part of the state that is nil, by what the error says and what the line reads.
std::optional<StatePart> unset_part(const StateNames& names, std::string_view text, Tokens line,
                                    const Json& message) {
  for (const std::string_view kind : {"local '", "upvalue '"}) {
    if (const std::string_view name = name_after(text, kind); !name.empty()) {
      const StatePart* part = names.local(name);
      return part == nullptr ? std::nullopt : std::optional(*part);
    }
  }
  const std::string_view field = name_after(text, "field '");
  // What reads the first argument of a function.
  const bool is_pairs = text.starts_with("pairs takes a table, got nil");
  const bool is_argument =
      is_pairs || (has(text, "bad argument #1 to '") && has(text, " expected, got nil)"));
  const std::string_view function =
      is_pairs ? text.substr(0, text.find(' ')) : name_after(text, "bad argument #1 to '");
  // The message's own field of this name may be what it has not.
  const bool is_own = std::ranges::any_of(line, [&](const LuaToken& token) {
    const std::size_t at = static_cast<std::size_t>(&token - line.data());
    return !field.empty() && token.kind == LuaToken::Kind::word &&
           token.text.ends_with(fmt::format(".{}", field)) && names.parts_at(line, at).empty();
  });
  if (is_own && message.is_object() && message.value(std::string(field), Json()).is_null())
    return std::nullopt;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto parts = names.parts_at(line, i);
    if (parts.empty()) continue;
    // Not read, or with something that holds without it.
    const std::size_t end = parts.back().end;
    const auto is = [&](std::size_t at, char sign) {
      return at < line.size() && line[at].is(sign);
    };
    const bool is_assigned = is(end, '=') && !is(end + 1, '=');
    const bool is_safe = is_assigned || (end < line.size() && line[end].is("or"));
    if (!field.empty()) {
      const auto part = std::ranges::find(parts, field, &StatePart::key);
      if (part != parts.end() && !(part + 1 == parts.end() && is_safe)) return *part;
    } else if (is_argument) {
      const bool is_its = i >= 2 && line[i - 1].is('(') && line[i - 2].text.ends_with(function);
      if (is_its && !is_safe) return parts.back();
    } else if (has(text, "attempt to compare") && !is_safe) {
      const auto compares = [&](std::size_t at) {
        return at < line.size() && (line[at].is('<') || line[at].is('>'));
      };
      const bool is_right =
          (i >= 1 && compares(i - 1)) || (i >= 2 && line[i - 1].is('=') && compares(i - 2));
      if (compares(parts.back().end) || is_right) return parts.back();
    }
  }
  return std::nullopt;
}

}  // namespace

std::string remedy_of_unset(const TriggerFiles& trigger, std::string_view text,
                            std::string_view line, const Json& message) {
  if (!has(text, "nil")) return "";
  const std::vector<LuaToken> script = lua_tokens(trigger.script.text);
  const StateNames names{script};
  const std::vector<LuaToken> tokens = lua_tokens(line);
  const auto part = unset_part(names, text, tokens, message);
  if (!part || (part->is_top && names.begins_with(part->key))) return "";
  std::string_view first;
  const auto says = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return has(text, word); });
  };
  if (says({"arithmetic", "compare", "number expected"})) first = "0";
  if (says({"concatenate", "string expected"})) first = "\"\"";
  if (says({"attempt to index", "length of", "table expected", "takes a table"})) first = "{}";
  if (first.empty()) return "";
  const std::string begin =
      part->is_top ? fmt::format("begin with hastur.trigger{{ state = {{ {} = {} }} }}, or ",
                                 part->key, first)
                   : "";
  std::string guarded = fmt::format("write ({} or {})", part->written, first);
  if (first == "{}") {
    // Nothing is put there at a tick.
    const char* const shape = message.is_object() ? "put a table there before, {0} = {0} or {{}}"
                                                  : "leave till then, if not {0} then return end";
    guarded = fmt::format(fmt::runtime(shape), part->written);
  }
  return fmt::format("{} is nil until something is put there: {}{}", part->written, begin, guarded);
}

}  // namespace hastur
