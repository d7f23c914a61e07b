#include "trigger-runtime/vm/bytecode.h"

#include <fmt/format.h>

#include <cstring>
#include <set>
#include <string_view>
#include <vector>

namespace hastur {
namespace {

// The opcodes that are looked at, numbered as this LuaJIT numbers them (a test compiles one of
// each).
enum Opcode : std::uint8_t {
  op_isnev = 5,
  op_isnep = 11,
  op_istc = 12,
  op_isf = 15,
  op_isnum = 17,
  op_mov = 18,
  op_len = 21,
  op_modnv = 31,
  op_pow = 37,
  op_cat = 38,
  op_kcdata = 40,
  op_knil = 44,
  op_uget = 45,
  op_usetv = 46,
  op_usetp = 49,
  op_uclo = 50,
  op_tdup = 53,
  op_gget = 54,
  op_gset = 55,
  op_tgetv = 56,
  op_tgets = 57,
  op_tgetb = 58,
  op_tsetv = 60,
  op_tsets = 61,
  op_tsetb = 62,
  op_tsetm = 63,
  op_callm = 65,
  op_callt = 68,
  op_iterc = 69,
  op_itern = 70,
  op_varg = 71,
  op_isnext = 72,
  op_retm = 73,
  op_ret0 = 75,
  op_ret1 = 76,
  op_fori = 77,
  op_forl = 79,
  op_jforl = 81,
  op_iterl = 82,
  op_jiterl = 84,
  op_loop = 85,
  op_jmp = 88,
};

constexpr std::uint8_t flag_vararg = 0x02;
constexpr std::uint16_t upvalue_is_local = 0x8000;
constexpr int no_jump = 0x8000;

// What a function's constructor of a table may hold: one instruction copies it, which may cost as
// much as some hundred others but not more.
constexpr std::uint64_t constructor_values_max = 1'000;
// An entry with a name, in values of a list.
constexpr std::uint64_t values_per_name = 4;

struct Instruction {
  std::uint32_t word;
  std::uint8_t op() const { return static_cast<std::uint8_t>(word); }
  std::uint8_t a() const { return static_cast<std::uint8_t>(word >> 8); }
  std::uint8_t c() const { return static_cast<std::uint8_t>(word >> 16); }
  std::uint8_t b() const { return static_cast<std::uint8_t>(word >> 24); }
  std::uint16_t d() const { return static_cast<std::uint16_t>(word >> 16); }
};

// One function. Children stand before their parents in a dump; the chunk itself comes last.
struct Function {
  std::uint8_t flags = 0;
  std::uint8_t parameters = 0;
  std::vector<Instruction> code;
  std::vector<std::uint32_t> lines;
  std::vector<std::uint16_t> upvalues;
  std::vector<std::string_view> upvalue_names;
  // Strings among the constants by their index; others are empty.
  std::vector<std::string_view> strings;
  // Of tables among the constants, by the same index.
  struct Template {
    std::uint32_t list = 0;
    std::uint32_t names = 0;
  };
  std::vector<Template> tables;
  std::optional<std::size_t> parent;
};

class DumpReader {
 public:
  explicit DumpReader(std::string_view dump) : rest_(dump) {}

  std::vector<Function> functions() {
    constexpr std::uint32_t flag_stripped = 2;
    HASTUR_CHECK(rest_.starts_with("\x1bLJ\x02"),
                 "LuaJIT's dump format is not the one that is read here");
    rest_.remove_prefix(4);
    HASTUR_CHECK((number() & flag_stripped) == 0, "a dump has no lines");
    take(number());
    std::vector<Function> all;
    while (const std::uint32_t size = number()) {
      std::string_view after = rest_.substr(size);
      all.push_back(function(all));
      rest_ = after;
    }
    return all;
  }

 private:
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }

  std::string_view take(std::size_t size) {
    HASTUR_CHECK(size <= rest_.size(), "a dump ends too early");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  // ULEB128.
  std::uint32_t number() {
    std::uint32_t value = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint8_t part = byte();
      value |= static_cast<std::uint32_t>(part & 0x7F) << shift;
      if (part < 0x80) return value;
    }
  }

  template <class T>
  T plain() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  // A constant within a constant table.
  void skip_table_item() {
    constexpr std::uint32_t integer = 3, floating = 4, text = 5;
    const std::uint32_t type = number();
    if (type >= text) {
      take(type - text);
    } else if (type == floating) {
      number();
      number();
    } else if (type == integer) {
      number();
    }
  }

  void constants(Function& function, std::uint32_t count, std::size_t self,
                 std::vector<Function>& all) {
    constexpr std::uint32_t child = 0, table = 1, complex = 4, text = 5;
    function.strings.resize(count);
    function.tables.resize(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t type = number();
      // Instructions count the constants from the last one back.
      if (type >= text) {
        function.strings[count - 1 - i] = take(type - text);
      } else if (type == child) {
        HASTUR_CHECK(!open_.empty(), "a dump refers to a function that it does not hold");
        all[open_.back()].parent = self;
        open_.pop_back();
      } else if (type == table) {
        const std::uint32_t array = number();
        const std::uint32_t hash = number();
        function.tables[count - 1 - i] = {array, hash};
        for (std::uint32_t item = 0; item < array + 2 * hash; ++item) skip_table_item();
      } else {
        for (int item = 0; item < (type == complex ? 4 : 2); ++item) number();
      }
    }
  }

  void skip_numbers(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      // The lowest bit tells doubles (two parts) from integers.
      const bool floating = (static_cast<std::uint8_t>(rest_[0]) & 1) != 0;
      number();
      if (floating) number();
    }
  }

  Function function(std::vector<Function>& all) {
    Function out;
    out.flags = byte();
    out.parameters = byte();
    byte();  // frame size
    const std::uint8_t upvalues = byte();
    const std::uint32_t constant_count = number();
    const std::uint32_t number_count = number();
    const std::uint32_t instructions = number();
    const std::uint32_t debug_bytes = number();
    const std::uint32_t first_line = debug_bytes > 0 ? number() : 0;
    const std::uint32_t line_count = debug_bytes > 0 ? number() : 0;
    for (std::uint32_t i = 0; i < instructions; ++i) out.code.push_back({plain<std::uint32_t>()});
    for (std::uint8_t i = 0; i < upvalues; ++i) out.upvalues.push_back(plain<std::uint16_t>());
    const std::size_t self = all.size();
    constants(out, constant_count, self, all);
    skip_numbers(number_count);
    for (std::uint32_t i = 0; i < instructions && debug_bytes > 0; ++i) {
      out.lines.push_back(first_line + (line_count < 256     ? byte()
                                        : line_count < 65536 ? plain<std::uint16_t>()
                                                             : plain<std::uint32_t>()));
    }
    for (std::uint8_t i = 0; i < upvalues && debug_bytes > 0; ++i) {
      out.upvalue_names.push_back(rest_.substr(0, rest_.find('\0')));
      take(out.upvalue_names.back().size() + 1);
    }
    open_.push_back(self);
    return out;
  }

  std::string_view rest_;
  // Functions that no parent has taken yet.
  std::vector<std::size_t> open_;
};

std::string dump_of(lua_State* lua, int index) {
  std::string dump;
  lua_pushvalue(lua, index);
  const lua_Writer append = [](lua_State*, const void* bytes, std::size_t size, void* out) {
    static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
    return 0;
  };
  if (lua_dump(lua, append, &dump) != 0) dump.clear();
  lua_pop(lua, 1);
  return dump;
}

// Whether upvalue `index` of function `at` is a local of the chunk itself.
bool is_of_chunk(const std::vector<Function>& all, std::size_t at, std::size_t index) {
  while (all[at].parent) {
    const std::uint16_t upvalue = all[at].upvalues[index];
    at = *all[at].parent;
    if ((upvalue & upvalue_is_local) != 0) return at + 1 == all.size();
    index = upvalue;
  }
  return false;
}

// Whether upvalue `index` of function `at` is an upvalue of the outermost function.
bool is_of_outermost(const std::vector<Function>& all, std::size_t at, std::size_t index) {
  while (all[at].parent) {
    const std::uint16_t upvalue = all[at].upvalues[index];
    if ((upvalue & upvalue_is_local) != 0) return false;
    at = *all[at].parent;
    index = upvalue;
  }
  return true;
}

std::string_view upvalue_name(const Function& function, std::size_t index) {
  return index < function.upvalue_names.size() ? function.upvalue_names[index] : "?";
}

// Whether the instruction at `at` runs again without its function being called again: a jump behind
// it leads before it.
bool is_in_loop(const Function& function, std::size_t at) {
  for (std::size_t i = at; i < function.code.size(); ++i) {
    const Instruction code = function.code[i];
    if (code.op() != op_forl && code.op() != op_iterl && code.op() != op_jmp &&
        code.op() != op_uclo)
      continue;
    const auto target = static_cast<std::ptrdiff_t>(i) + 1 + code.d() - no_jump;
    if (target <= static_cast<std::ptrdiff_t>(at)) return true;
  }
  return false;
}

// Whether an instruction does anything with slot 0 but read a field of it. True when in doubt.
bool gives_away(const Instruction& code) {
  const std::uint8_t op = code.op();
  const bool a = code.a() == 0;
  const bool b = code.b() == 0;
  const bool c = code.c() == 0;
  const bool d = code.d() == 0;
  if (op <= op_isnev) return a || d;
  if (op <= op_isnep) return a;
  if (op <= op_isf) return d;
  if (op <= op_isnum) return a;
  if (op <= op_len) return d;
  if (op <= op_modnv) return b;
  if (op <= op_pow) return b || c;
  if (op == op_cat) return b;
  if (op <= op_uget) return false;
  if (op == op_usetv) return d;
  if (op <= op_gget) return false;
  if (op == op_gset) return a;
  if (op == op_tgetv) return c;
  if (op == op_tgets || op == op_tgetb) return false;
  if (op >= op_tsetv && op <= op_tsetb) return a || b || (op == op_tsetv && c);
  if (op == op_tsetm) return code.a() <= 1;
  if (op >= op_callm && op <= op_callt) return a;
  if (op == op_iterc || op == op_itern || op == op_isnext) return code.a() <= 3;
  if (op == op_varg || op == op_ret0) return false;
  if (op >= op_retm && op <= op_ret1) return a;
  if (op >= op_fori && op <= op_jiterl) return a;
  return op > op_jmp || op < op_loop;
}

}  // namespace

std::optional<ScriptError> chunk_fault(lua_State* lua, const std::string& path) {
  const std::string dump = dump_of(lua, lua_gettop(lua));
  const std::vector<Function> all = DumpReader(dump).functions();
  std::optional<ScriptError> first;
  const auto note = [&](std::uint32_t line, std::string text) {
    if (!first || line < first->line) first = ScriptError{std::move(text), path, line};
  };
  for (std::size_t at = 0; at < all.size(); ++at) {
    const Function& function = all[at];
    for (std::size_t i = 0; i < function.code.size(); ++i) {
      const Instruction code = function.code[i];
      const std::uint32_t line = function.lines.empty() ? 0 : function.lines[i];
      // setmetatable looks at what a metatable has then; this is what it may be given later.
      if (code.op() == op_tsets && function.strings[code.c()] == "__mode") {
        note(line, "weak tables are not allowed: what they lose depends on the garbage collector");
      } else if (code.op() == op_gset) {
        const std::string_view name = function.strings[code.d()];
        note(line,
             fmt::format(
                 "the global '{0}' cannot be assigned: write local {0}, or keep it in ctx.state",
                 name));
      } else if (code.op() == op_kcdata) {
        note(line, "numbers like 1LL or 1i are not allowed: write a plain number");
      } else if (code.op() == op_tdup && (function.parent || is_in_loop(function, i))) {
        const auto [list, names] = function.tables[code.d()];
        if (list + values_per_name * names <= constructor_values_max) continue;
        note(line,
             fmt::format("a table of {} entries is written out in a {}, and each time all of "
                         "it is copied: write it once, in a local at the top of the file",
                         (list > 0 ? list - 1 : 0) + names, function.parent ? "function" : "loop"));
      } else if (code.op() >= op_usetv && code.op() <= op_usetp && is_of_chunk(all, at, code.a())) {
        note(line, fmt::format("the local '{}' of the file is changed in a function: what lasts "
                               "longer than a callback "
                               "must be in ctx.state, or it is lost in a restart",
                               upvalue_name(function, code.a())));
      }
    }
  }
  return first;
}

std::vector<std::uint32_t> function_lines(lua_State* lua) {
  const std::string dump = dump_of(lua, lua_gettop(lua));
  std::set<std::uint32_t> lines;
  for (const Function& function : DumpReader(dump).functions()) {
    if (function.parent) lines.insert(function.lines.begin(), function.lines.end());
  }
  return {lines.begin(), lines.end()};
}

std::optional<ScriptError> upvalue_fault(lua_State* lua, int index) {
  const std::string dump = dump_of(lua, index);
  const std::vector<Function> all = DumpReader(dump).functions();
  std::optional<ScriptError> first;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const Function& function = all[at];
    for (std::size_t i = 0; i < function.code.size(); ++i) {
      const Instruction code = function.code[i];
      if (code.op() < op_usetv || code.op() > op_usetp || !is_of_outermost(all, at, code.a()))
        continue;
      const std::uint32_t line = function.lines.empty() ? 0 : function.lines[i];
      if (first && first->line <= line) continue;
      first = ScriptError{
          fmt::format("the local '{}' is changed by a function that outlives the call: what lasts "
                      "longer than a callback must be in ctx.state, or it is lost in a restart",
                      upvalue_name(function, code.a())),
          "", line};
    }
  }
  if (!first) return std::nullopt;
  lua_Debug place;
  lua_pushvalue(lua, index);
  lua_getinfo(lua, ">S", &place);
  if (place.source[0] == '@') first->script = place.source + 1;
  return first;
}

bool first_parameter_stays(lua_State* lua, int index) {
  const std::string dump = dump_of(lua, index);
  if (dump.empty()) return false;
  const std::vector<Function> all = DumpReader(dump).functions();
  const Function& function = all.back();
  if ((function.flags & flag_vararg) != 0) return false;
  if (function.parameters == 0) return true;
  for (std::size_t at = 0; at + 1 < all.size(); ++at) {
    if (all[at].parent != all.size() - 1) continue;
    for (const std::uint16_t upvalue : all[at].upvalues) {
      if ((upvalue & upvalue_is_local) != 0 && (upvalue & 0xFF) == 0) return false;
    }
  }
  for (const Instruction& code : function.code) {
    if (gives_away(code)) return false;
  }
  return true;
}

}  // namespace hastur
