#include "trigger-test/concern.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include "trigger-runtime/protocol/required_modules.h"
#include "trigger-runtime/sources/script_tree.h"
#include "trigger-test/lua_tokens.h"
#include "trigger-test/trigger_files.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

bool is_of_a_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// Whether the text has this name of a file or folder, and not as a part of another.
bool mentions(std::string_view text, const std::string& name) {
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_of_a_name(text[at - 1])) &&
        (end == text.size() || !is_of_a_name(text[end])))
      return true;
  }
  return false;
}

class Concern {
 public:
  explicit Concern(const std::set<std::string>& changed) : changed_(changed) {
    for (const std::string& path : changed) {
      const std::string name = fs::path(path).filename().string();
      // Scripts are required, not mentioned.
      if (!name.ends_with(".lua")) names_.insert(name);
    }
  }

  bool holds(const std::string& trigger) {
    std::error_code ignored;
    const fs::path script = fs::absolute(trigger, ignored).lexically_normal();
    fs::path base = script;
    base.replace_extension();
    if (has_changed(script)) return true;
    std::vector<std::string> open = required_modules(text_of(script));
    for (const char* ending : {".test.lua", ".test.json"}) {
      const fs::path test = base.string() + ending;
      if (has_changed(test)) return true;
      const std::string& text = text_of(test);
      if (std::ranges::any_of(names_, [&](const auto& name) { return mentions(text, name); }))
        return true;
      std::ranges::move(required_modules(text), std::back_inserter(open));
    }
    const std::optional<std::string> root = root_of(script);
    return root && a_library_has_changed(*root, std::move(open));
  }

 private:
  bool a_library_has_changed(const fs::path& root, std::vector<std::string> open) {
    std::set<fs::path> seen;
    while (!open.empty()) {
      const fs::path library = root / module_path(std::move(open.back()));
      open.pop_back();
      if (!seen.insert(library).second) continue;
      if (has_changed(library)) return true;
      std::ranges::move(required_modules(text_of(library)), std::back_inserter(open));
    }
    return false;
  }

  bool has_changed(fs::path path) const {
    for (; path != path.root_path(); path = path.parent_path()) {
      if (changed_.contains(path.string())) return true;
    }
    return false;
  }

  // Empty if it cannot be read: then there is nothing in it to follow.
  const std::string& text_of(const fs::path& path) {
    const auto [found, is_new] = texts_.try_emplace(path);
    if (is_new) {
      if (Result<std::string> text = read_script_file(path)) found->second = std::move(*text);
    }
    return found->second;
  }

  const std::set<std::string>& changed_;
  // What a test file may mention.
  std::set<std::string> names_;
  std::map<fs::path, std::string> texts_;
};

}  // namespace

std::vector<std::string> recordings_named_beside(const std::string& script) {
  std::vector<std::string> found;
  std::error_code ignored;
  const fs::path base = fs::absolute(script, ignored).lexically_normal().replace_extension();
  for (const char* ending : {".test.lua", ".test.json"}) {
    const Result<std::string> text = read_script_file(base.string() + ending);
    if (!text) continue;
    for (const LuaToken& token : lua_tokens(*text)) {
      if (token.kind != LuaToken::Kind::text || !is_recording_name(token.text)) continue;
      found.push_back((base.parent_path() / token.text).lexically_normal());
    }
  }
  return found;
}

std::vector<std::string> concerned(const std::vector<std::string>& triggers,
                                   const std::set<std::string>& changed) {
  Concern concern(changed);
  std::vector<std::string> found;
  std::ranges::copy_if(triggers, std::back_inserter(found),
                       [&](const std::string& trigger) { return concern.holds(trigger); });
  return found;
}

}  // namespace hastur
