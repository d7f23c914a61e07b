#include "trigger-test/local_scopes.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "trigger-test/lua_tokens.h"

namespace hastur {
namespace {

struct Declared {
  std::string_view name;
  std::uint32_t first = 0;
};

// Loosely: a file that is no Lua gives scopes that are too long.
class Reader {
 public:
  explicit Reader(std::string_view source) : tokens_(lua_tokens(source)) {}

  template <class Close>
  void read(const Close& close) {
    std::vector<std::vector<Declared>> blocks(1);
    std::vector<Declared> of_for;
    const auto close_block = [&](std::uint32_t line) {
      for (const Declared& each : blocks.back()) close(each, line);
      blocks.back().clear();
    };
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      const LuaToken& token = tokens_[at_];
      if (token.is("function")) {
        while (at_ + 1 < tokens_.size() && !tokens_[at_].is('(')) ++at_;
        blocks.push_back(names(token.line));
      } else if (token.is("local")) {
        const bool is_function = at_ + 1 < tokens_.size() && tokens_[at_ + 1].is("function");
        if (is_function) continue;
        std::ranges::move(names(token.line + 1), std::back_inserter(blocks.back()));
      } else if (token.is("for")) {
        of_for = names(token.line + 1);
      } else if (token.is("do")) {
        blocks.push_back(std::exchange(of_for, {}));
      } else if (token.is("if") || token.is("repeat")) {
        blocks.emplace_back();
      } else if (token.is("else") || token.is("elseif")) {
        close_block(token.line);
      } else if (token.is("end") || token.is("until")) {
        close_block(token.line);
        if (blocks.size() > 1) blocks.pop_back();
      }
    }
    for (; !blocks.empty(); blocks.pop_back())
      close_block(std::numeric_limits<std::uint32_t>::max());
  }

 private:
  // The words that follow with commas between them; at_ is left on the last.
  std::vector<Declared> names(std::uint32_t first) {
    std::vector<Declared> found;
    while (at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind == LuaToken::Kind::word) {
      const std::string_view name = tokens_[at_ + 1].text;
      found.push_back({name, first});
      ++at_;
      if (at_ + 1 >= tokens_.size() || !tokens_[at_ + 1].is(',')) break;
      ++at_;
    }
    return found;
  }

  const std::vector<LuaToken> tokens_;
  std::size_t at_ = 0;
};

}  // namespace

LocalScopes::LocalScopes(std::string_view source) {
  Reader(source).read([&](const Declared& declared, std::uint32_t last) {
    // What ends on its own line has no other.
    scopes_[std::string(declared.name)].push_back({std::min(declared.first, last), last});
  });
}

bool LocalScopes::is_alive(std::string_view name, std::uint32_t line) const {
  const auto found = scopes_.find(name);
  return found == scopes_.end() || std::ranges::any_of(found->second, [&](const Lines& lines) {
           return lines.first <= line && line <= lines.last;
         });
}

}  // namespace hastur
