#pragma once

// Arguments of ctx:keyed, ctx:window, … and of the functions of what they make; what is wrong with
// one is an error that names the function and the argument.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "trigger-runtime/vm/helper_set.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {

// The options table of a constructor at `index`; raises for one that is none, and for a key that is
// not among `known`.
class HelperOptions {
 public:
  HelperOptions(lua_State* lua, int index, std::string_view function,
                std::initializer_list<std::string_view> known);

  // A span of at least a second.
  std::optional<Micros> span(const char* key) const;
  // A whole number, `least` to `most`.
  std::optional<std::uint32_t> count(const char* key, std::uint32_t most,
                                     std::uint32_t least = 1) const;
  bool has(const char* key) const;
  std::optional<std::string> text(const char* key) const;
  // Its JSON.
  std::optional<std::string> json(const char* key) const;

 private:
  lua_State* lua_;
  int index_;
  std::string_view function_;
};

// What every function of a helper takes first, and what it is charged. Raises unless the object at
// 1 is of these kinds and a callback runs. `function` is "hosts:touch" without the name: "touch".
ScriptHelper& helper_self(lua_State* lua, std::string_view function,
                          std::initializer_list<HelperKind> kinds);

// The key at `index`: a string, or a number, which becomes its text.
std::string_view key_argument(lua_State* lua, int index, const ScriptHelper& self,
                              std::string_view function);
// Whether a helper can keep something under it, the same for all: what one takes from a sender's
// label does not fail in another.
inline bool fits_as_key(std::string_view key) {
  return !key.empty() && key.size() <= Helper::key_bytes_max;
}
// The argument of a call that makes the key if need be: an error unless it fits. (A window leaves
// out what does not.)
std::string_view made_key_argument(lua_State* lua, int index, const ScriptHelper& self,
                                   std::string_view function);
// Raises for a new key that is not UTF-8, as JSON must be.
[[noreturn]] void refuse_key(lua_State* lua, const ScriptHelper& self);

// The argument as a finite number or a span, or an error.
double number_argument(lua_State* lua, int index, const ScriptHelper& self,
                       std::string_view function, std::string_view argument);
Micros span_argument(lua_State* lua, int index, const ScriptHelper& self, std::string_view function,
                     std::string_view argument);

// "hosts:touch", for errors.
std::string called(const ScriptHelper& self, std::string_view function);

// Charged for one call.
inline constexpr std::uint64_t instructions_per_helper_call = 8;

}  // namespace hastur
