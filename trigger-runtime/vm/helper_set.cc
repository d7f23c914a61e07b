#include "trigger-runtime/vm/helper_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/helpers/span_window.h"
#include "trigger-runtime/vm/helpers/throttle.h"
#include "trigger-runtime/vm/registry.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

const char object_marker = 0;
const char view_marker = 0;

// What stands in the userdata of an object or a view. No other userdata of a script has this size.
struct HelperUserdata {
  const void* marker;
  ScriptHelper* made;
  const void* unused;
};

HelperUserdata* userdata_at(lua_State* lua, int index, const void* marker) {
  if (lua_type(lua, index) != LUA_TUSERDATA || lua_objlen(lua, index) != sizeof(HelperUserdata))
    return nullptr;
  auto* data = static_cast<HelperUserdata*>(lua_touserdata(lua, index));
  return data->marker == marker ? data : nullptr;
}

void push_userdata(lua_State* lua, const void* marker, ScriptHelper& made) {
  *static_cast<HelperUserdata*>(lua_newuserdata(lua, sizeof(HelperUserdata))) = {marker, &made,
                                                                                 nullptr};
}

int refuse_object_write(lua_State* lua) {
  raise(lua, "a helper cannot be written: what you keep belongs in ctx.state");
}

int refuse_view_write(lua_State* lua) { raise_helper_view(lua, *helper_view_at(lua, 1)); }

// The JSON of one key, as a value whose tables cannot be written.
void push_content(lua_State* lua, const Helper& helper, std::uint32_t id) {
  Vm& vm = vm_of(lua);
  std::string text;
  if (!helper.write_whole(id, text)) {
    raise(lua, fmt::format("ctx.state[\"{}\"][\"{}\"] cannot be read: a value in it is no JSON",
                           helper.state_key(), helper.keys().key(id)));
  }
  vm.budget.charge(lua, 16 + text.size() / 4);
  HASTUR_CHECK(push_json(lua, text), "what a helper wrote is no JSON");
  push_read_only(lua);
}

// (view, key)
int read_view(lua_State* lua) {
  Helper& helper = *helper_view_at(lua, 1);
  Vm& vm = vm_of(lua);
  vm.budget.charge(lua, 16 + helper.keys().count() / 16);
  helper.settle(vm.effects.now());
  const std::uint32_t id = is_text(lua, 2) ? helper.keys().find(text_at(lua, 2)) : KeyTable::none;
  if (id == KeyTable::none) return 0;
  push_content(lua, helper, id);
  return 1;
}

int view_length(lua_State* lua) {
  lua_pushnumber(lua, 0);
  return 1;
}

std::string kept_words(const Window::Kept& kept) {
  return fmt::format("squares {} extremes {} sketch {}", kept.squares, kept.extremes, kept.sketch);
}

}  // namespace

Helper* helper_view_at(lua_State* lua, int index) {
  const HelperUserdata* data = userdata_at(lua, index, &view_marker);
  return data == nullptr ? nullptr : data->made->helper.get();
}

ScriptHelper* helper_object_at(lua_State* lua, int index) {
  const HelperUserdata* data = userdata_at(lua, index, &object_marker);
  return data == nullptr ? nullptr : data->made;
}

void raise_helper_view(lua_State* lua, const Helper& helper) {
  raise(lua,
        fmt::format("ctx.state[\"{}\"] cannot be written: it is what ctx:{}(\"{}\") keeps; use "
                    "its functions",
                    helper.state_key(), helper.kind(), helper.name()));
}

void push_helper_content(lua_State* lua, Helper& helper) {
  Vm& vm = vm_of(lua);
  vm.budget.charge(lua, 16 + helper.keys().count());
  helper.settle(vm.effects.now());
  luaL_checkstack(lua, 8, "too much is nested");
  lua_newtable(lua);
  for (const std::uint32_t id : helper.keys().in_order()) {
    push_text(lua, helper.keys().key(id));
    push_content(lua, helper, id);
    lua_rawset(lua, -3);
  }
}

LuaValues::LuaValues(lua_State* lua, int number) : lua_(lua), number_(number) { clear(); }

void LuaValues::clear() {
  push_registered(lua_, Registered::helper_values);
  lua_newtable(lua_);
  lua_rawseti(lua_, -2, number_);
  lua_pop(lua_, 1);
}

void LuaValues::push_table() const {
  push_registered(lua_, Registered::helper_values);
  lua_rawgeti(lua_, -1, number_);
  lua_remove(lua_, -2);
}

void LuaValues::push(std::uint32_t id) const {
  push_table();
  lua_rawgeti(lua_, -1, static_cast<int>(id) + 1);
  lua_remove(lua_, -2);
}

bool LuaValues::set(std::uint32_t id) {
  const bool has = !lua_isnil(lua_, -1);
  push_table();
  lua_insert(lua_, -2);
  lua_rawseti(lua_, -2, static_cast<int>(id) + 1);
  lua_pop(lua_, 1);
  return has;
}

void LuaValues::drop(std::uint32_t id) {
  lua_pushnil(lua_);
  set(id);
}

bool LuaValues::read(std::uint32_t id, std::string_view json) {
  luaL_checkstack(lua_, 8, "too much is nested");
  if (!push_json(lua_, json)) return false;
  set(id);
  return true;
}

bool LuaValues::write(std::uint32_t id, std::string& out) const {
  if (lua_checkstack(lua_, 8) == 0) return false;
  push(id);
  Vm& vm = vm_of(lua_);
  const bool written = vm.writer.is_writing()
                           ? vm.writer.write_part(lua_gettop(lua_), out)
                           : !vm.writer.write(lua_, -1, LuaJsonWriter::Form::effect, "v",
                                              vm.declared.state_bytes_max, out);
  lua_pop(lua_, 1);
  return written;
}

std::uint32_t HelperSet::with_deadlines() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(all_, [](const auto& made) { return made->helper->has_deadlines(); }));
}

ScriptHelper* HelperSet::find(std::string_view name) const {
  for (const auto& made : all_) {
    if (made->helper->name() == name) return made.get();
  }
  return nullptr;
}

ScriptHelper& HelperSet::of(const Helper& helper) const {
  for (const auto& made : all_) {
    if (made->helper.get() == &helper) return *made;
  }
  HASTUR_CHECK(false, "a helper is none of its script's");
}

void HelperSet::add(lua_State* lua, std::unique_ptr<ScriptHelper> made) {
  const int methods = lua_gettop(lua);
  push_userdata(lua, &object_marker, *made);
  lua_newtable(lua);
  lua_pushvalue(lua, methods);
  lua_setfield(lua, -2, "__index");
  add_function(lua, "__newindex", refuse_object_write);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_replace(lua, methods);

  make_view(lua, *made, all_.size() + 1);
  all_.push_back(std::move(made));
}

void HelperSet::make_view(lua_State* lua, ScriptHelper& made, std::size_t number) const {
  push_registered(lua, Registered::helper_views);
  push_userdata(lua, &view_marker, made);
  lua_newtable(lua);
  add_function(lua, "__index", read_view);
  add_function(lua, "__newindex", refuse_view_write);
  add_function(lua, "__len", view_length);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_rawseti(lua, -2, static_cast<int>(number));
  lua_pop(lua, 1);
}

// What cannot be read is passed over, as it would be if it were no alert's.
void HelperSet::retire(lua_State* lua, std::string_view name, std::string_view json, Time now) {
  auto made = std::make_unique<ScriptHelper>();
  auto alert = std::make_unique<Alert>(std::string(name), Alert::Options{});
  alert->retire();
  if (alert->read(json, now) || alert->keys().count() == 0) return;
  made->kind = HelperKind::alert;
  made->helper = std::move(alert);
  make_view(lua, *made, all_.size() + 1);
  all_.push_back(std::move(made));
}

bool HelperSet::has_retired() const {
  return !all_.empty() && all_.back()->kind == HelperKind::alert &&
         static_cast<const Alert&>(*all_.back()->helper).is_retired();
}

// They are not in the state any more.
void HelperSet::drop_retired(lua_State* lua) {
  leaving_.clear();
  while (has_retired()) {
    ScriptHelper& made = *all_.back();
    made.helper->clear();
    account(lua, made);
    push_text(lua, made.helper->state_key());
    lua_pushnil(lua);
    lua_rawset(lua, state_index);
    leaving_.push_back(std::move(all_.back()));
    all_.pop_back();
  }
}

void HelperSet::keep(Window::Kept kept) {
  for (const auto& made : all_) {
    if (auto* window = dynamic_cast<Window*>(made->helper.get())) window->keep(kept);
  }
}

std::vector<HelperSpec> HelperSet::specs() const {
  std::vector<HelperSpec> all;
  for (const auto& made : all_) {
    HelperSpec spec{made->helper->state_key(), {}, {}};
    switch (made->kind) {
      case HelperKind::keyed: {
        const auto& keyed = static_cast<const Keyed&>(*made->helper);
        const Micros forget = keyed.options().forget.value_or(Micros{0});
        spec.declared = fmt::format("forget {} max {} silence {} new {}", forget.count(),
                                    keyed.options().max.value_or(0),
                                    keyed.silence().value_or(Micros{0}).count(),
                                    fmt::format("{:016x}", hash64(made->new_value)));
        spec.reach = forget;
        break;
      }
      case HelperKind::span_window: {
        const auto& window = static_cast<const SpanWindow&>(*made->helper);
        spec.declared = fmt::format("span {} slot {} {}", window.options().span.count(),
                                    window.options().slot.count(), kept_words(window.kept()));
        // The whole span covers up to one slot more.
        spec.reach = window.options().span + window.options().slot;
        break;
      }
      case HelperKind::last_window: {
        const auto& window = static_cast<const Window&>(*made->helper);
        spec.declared = fmt::format("last {} {}", window.parts(), kept_words(window.kept()));
        break;
      }
      case HelperKind::throttle:
      case HelperKind::alert:
        continue;
    }
    all.push_back(std::move(spec));
  }
  return all;
}

std::vector<Micros> HelperSet::spans() const {
  std::vector<Micros> all;
  const auto add = [&](std::optional<Micros> span) {
    if (span) all.push_back(*span);
  };
  for (const auto& made : all_) {
    switch (made->kind) {
      case HelperKind::keyed: {
        const auto& keyed = static_cast<const Keyed&>(*made->helper);
        add(keyed.options().forget);
        add(keyed.silence());
        break;
      }
      case HelperKind::span_window:
        add(static_cast<const SpanWindow&>(*made->helper).options().span);
        break;
      case HelperKind::throttle:
        add(static_cast<const Throttle&>(*made->helper).options().per);
        break;
      case HelperKind::alert: {
        const Alert::Options& options = static_cast<const Alert&>(*made->helper).options();
        for (const auto& span :
             {options.raise_after, options.clear_after, options.again, options.stale})
          add(span);
        if (options.flap) add(options.flap->span);
        break;
      }
      case HelperKind::last_window:
        break;
    }
  }
  return all;
}

std::map<std::string, std::int64_t> HelperSet::slots() const {
  std::map<std::string, std::int64_t> slots;
  for (const auto& made : all_) {
    if (made->kind != HelperKind::span_window) continue;
    slots[made->helper->name()] =
        static_cast<const SpanWindow&>(*made->helper).options().slot.count();
  }
  return slots;
}

void HelperSet::clear(lua_State* lua) {
  drop_retired(lua);
  for (const auto& made : all_) made->helper->clear();
  account_all(lua);
}

std::optional<ScriptError> HelperSet::read(lua_State* lua, std::string_view state_key,
                                           std::string_view json, Time now,
                                           const std::map<std::string, std::int64_t>& slots) {
  const std::size_t dot = state_key.find('.');
  if (!state_key.starts_with('@') || dot == std::string_view::npos) return std::nullopt;
  const std::string_view kind = state_key.substr(1, dot - 1);
  const std::string_view name = state_key.substr(dot + 1);
  const ScriptHelper* made = find(name);
  if (made == nullptr) {
    if (kind == "alert") retire(lua, name, json, now);
    return std::nullopt;
  }
  Helper& helper = *made->helper;
  if (helper.kind() != kind) {
    return ScriptError{fmt::format("'{}' was kept by a ctx:{} and is a ctx:{} now: give it "
                                   "another name, or convert ctx.state[\"{}\"] in ctx:migrate",
                                   name, kind, helper.kind(), state_key),
                       "", made->line};
  }
  if (auto* window = dynamic_cast<SpanWindow*>(&helper)) {
    const std::set<std::int64_t> stored = slots_before(name, slots);
    if (stored.size() > 1) {
      return ScriptError{fmt::format("of state[\"{}\"] nobody knows how wide its slots are, as "
                                     "several windows that had other widths are gone: rename one "
                                     "at a time",
                                     state_key),
                         "", made->line};
    }
    window->set_stored_slot(stored.empty() ? window->options().slot : Micros{*stored.begin()});
  }
  if (const std::optional<std::string> fault = helper.read(json, now)) {
    return ScriptError{fmt::format("state[\"{}\"]{} is not what this ctx:{} keeps: "
                                   "give it another name, or convert it in ctx:migrate",
                                   state_key, *fault, kind),
                       "", made->line};
  }
  return std::nullopt;
}

// How wide the slots of what the window of this name is to read may be. A renamed window's are
// those of one that is gone.
std::set<std::int64_t> HelperSet::slots_before(
    std::string_view name, const std::map<std::string, std::int64_t>& slots) const {
  if (const auto own = slots.find(std::string(name)); own != slots.end()) return {own->second};
  std::set<std::int64_t> widths;
  for (const auto& [before, width] : slots) {
    if (find(before) == nullptr) widths.insert(width);
  }
  return widths;
}

std::optional<std::string> HelperSet::warm(lua_State* lua, std::string_view state_key,
                                           std::string_view json, Time at, Time now) {
  for (const auto& made : all_) {
    if (made->helper->state_key() != state_key) continue;
    made->helper->clear();
    if (auto fault = read(lua, state_key, json, at, slots())) return std::move(fault->text);
    made->helper->pass_deaf(now - at, now);
    made->helper->settle(now);
    return std::nullopt;
  }
  return fmt::format("there is no helper {}", state_key);
}

void HelperSet::put_views(lua_State* lua, int state) const {
  state = absolute(lua, state);
  push_registered(lua, Registered::helper_views);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    push_text(lua, all_[i]->helper->state_key());
    lua_rawgeti(lua, -2, static_cast<int>(i) + 1);
    lua_rawset(lua, state);
  }
  lua_pop(lua, 1);
}

void HelperSet::settle(Time now) {
  for (const auto& made : all_) made->helper->settle(now);
}

bool HelperSet::pass_deaf(Micros deaf, Time now) {
  bool moved = false;
  for (const auto& made : all_) moved = made->helper->pass_deaf(deaf, now) || moved;
  return moved;
}

std::vector<DueKey> HelperSet::due(Time now) {
  std::vector<DueKey> due;
  for (const auto& made : all_) made->helper->collect_due(now, due);
  std::ranges::sort(due, [](const DueKey& a, const DueKey& b) {
    if (a.at != b.at) return a.at < b.at;
    if (a.helper != b.helper) return a.helper->name() < b.helper->name();
    return a.key != b.key ? a.key < b.key : a.what < b.what;
  });
  return due;
}

std::vector<HelperSet::Page> HelperSet::pages(lua_State* lua, Time now, bool& changed) {
  std::vector<Page> all;
  for (const auto& made : all_) {
    if (made->kind != HelperKind::alert) continue;
    auto& alert = static_cast<Alert&>(*made->helper);
    std::vector<AlertPage> pages;
    changed = alert.decide(now, pages) || changed;
    for (AlertPage& page : pages) all.push_back({&alert, std::move(page)});
  }
  std::ranges::sort(all, [](const Page& a, const Page& b) {
    if (a.page.at != b.page.at) return a.page.at < b.page.at;
    if (a.alert != b.alert) return a.alert->name() < b.alert->name();
    if (a.page.key != b.page.key) return a.page.key < b.page.key;
    return a.page.resolves > b.page.resolves;
  });
  drop_retired(lua);
  return all;
}

std::vector<const Alert*> HelperSet::alerts() const {
  std::vector<const Alert*> all;
  for (const auto& made : all_) {
    if (made->kind == HelperKind::alert)
      all.push_back(static_cast<const Alert*>(made->helper.get()));
  }
  return all;
}

void HelperSet::account(lua_State* lua, ScriptHelper& made) const {
  const std::size_t bytes = made.helper->bytes();
  if (bytes == made.bytes) return;
  Vm& vm = vm_of(lua);
  const bool grew = bytes > made.bytes;
  const bool fits = vm.memory.count_native(made.bytes, bytes);
  made.bytes = bytes;
  if (!grew || fits || vm.phase != Vm::Phase::callback) return;
  vm.budget.set_verdict(Budget::Verdict::memory);
  raise(lua, "not enough memory");
}

void HelperSet::account_all(lua_State* lua) const {
  for (const auto& made : all_) account(lua, *made);
}

std::uint64_t HelperSet::dropped() const {
  std::uint64_t sum = 0;
  for (const auto& made : all_) sum += made->helper->dropped();
  return sum;
}

}  // namespace hastur
