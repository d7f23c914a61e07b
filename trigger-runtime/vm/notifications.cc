// pager_duty, send_email, web_hook, slack, alertmanager: check their arguments and become
// notifications.
//
// All have the same shape outside: kind, key (of the incident, or null), to (a configured channel,
// the recipients of a mail, or null), text (the one line that a person reads first), details and
// options (what is left of the options table).

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "core/cut_text.h"
#include "core/json.h"
#include "core/lowered.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/least_text.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// The options that a call takes: what its channels make something of. `to` is everybody's.
using KnownOptions = std::vector<std::string>;
const KnownOptions pager_duty_options = {"action",    "class",  "client", "client_url",
                                         "component", "group",  "images", "links",
                                         "severity",  "source", "to"};
const KnownOptions send_email_options = {"action", "bcc", "cc", "key", "severity", "to"};
const KnownOptions web_hook_options = {"action", "body",     "details", "headers", "key",
                                       "method", "severity", "text",    "to"};
// Beside ours, those of Slack's incoming web hooks.
const KnownOptions slack_options = {
    "action",           "attachments",   "blocks",     "channel",   "details", "icon_emoji",
    "icon_url",         "key",           "link_names", "metadata",  "mrkdwn",  "parse",
    "replace_original", "response_type", "severity",   "thread_ts", "to",      "unfurl_links",
    "unfurl_media",     "username"};
const KnownOptions alertmanager_options = {"action", "severity", "to"};

// One call under way: reads the arguments, sends the notification.
class Call {
 public:
  Call(lua_State* lua, std::string_view kind, int arguments_max)
      : lua_(lua), vm_(vm_of(lua)), kind_(kind) {
    require_callback(lua, fmt::format("{} is", kind));
    if (lua_gettop(lua) > arguments_max) {
      raise(lua, fmt::format("{} takes at most {} arguments", kind, arguments_max));
    }
    lua_settop(lua, arguments_max);
    for (int i = 1; i <= arguments_max; ++i) open_frozen(lua, i);
    notification_.kind = kind;
  }

  std::string_view text(int index, std::string_view argument) {
    const std::string_view given = text_argument(lua_, index, kind_, argument);
    // What is made of it is larger still.
    if (given.size() > effect_bytes_max) refuse_large();
    return given;
  }

  [[noreturn]] void refuse_large() {
    raise(lua_, fmt::format("{}: the notification is larger than 256 KiB", kind_));
  }

  // The table at `index` as JSON; {} if there is none.
  std::string table(int index, std::string_view argument) {
    if (lua_isnil(lua_, index)) return "{}";
    if (!lua_istable(lua_, index) && !is_labels(lua_, index)) {
      raise(lua_,
            fmt::format("{}: {} must be a table, got {}", kind_, argument, describe(lua_, index)));
    }
    std::string out;
    if (const auto fault = vm_.writer.write(lua_, index, LuaJsonWriter::Form::effect, argument,
                                            effect_bytes_max, out)) {
      raise(lua_, fmt::format("{}: {}", kind_, *fault));
    }
    return out;
  }

  // Makes the options at `index` a table of this call's own, so that entries can be taken out of
  // it. One that is not among `known` raises.
  void options(int index, const KnownOptions& known) {
    options_ = index;
    lua_newtable(lua_);
    if (!lua_isnil(lua_, index)) {
      if (!lua_istable(lua_, index)) {
        raise(lua_,
              fmt::format("{}: options must be a table, got {}", kind_, describe(lua_, index)));
      }
      charge_walk(lua_, index);
      LeastText unknown;
      lua_pushnil(lua_);
      while (lua_next(lua_, index) != 0) {
        std::string name = is_text(lua_, -2) ? std::string(text_at(lua_, -2)) : describe(lua_, -2);
        if (!std::ranges::binary_search(known, name)) unknown.add(std::move(name));
        lua_pushvalue(lua_, -2);
        lua_insert(lua_, -2);
        lua_rawset(lua_, -4);
      }
      if (unknown) refuse_option(*unknown, known);
    }
    lua_replace(lua_, index);
    one_of("action", {"trigger", "acknowledge", "resolve"});
    one_of("severity", {"critical", "error", "warning", "info"});
  }

  // Takes a text out of the options; its JSON, or null.
  std::string take_text(const char* key) {
    lua_getfield(lua_, options_, key);
    std::string out = "null";
    if (!lua_isnil(lua_, -1))
      out = json_text(text(lua_gettop(lua_), fmt::format("options.{}", key)));
    lua_pop(lua_, 1);
    forget(key);
    return out;
  }
  // Takes a table out of the options; its JSON, or {}.
  std::string take_table(const char* key) {
    lua_getfield(lua_, options_, key);
    open_frozen(lua_, -1);
    std::string out = table(lua_gettop(lua_), fmt::format("options.{}", key));
    lua_pop(lua_, 1);
    forget(key);
    return out;
  }
  void set_text(const char* key, std::string_view value) {
    push_text(lua_, value);
    lua_setfield(lua_, options_, key);
  }

  Notification& notification() { return notification_; }

  int send() {
    notification_.options = table(options_, "options");
    const std::size_t bytes = notification_.text.size() + notification_.details.size() +
                              notification_.options.size() + notification_.key.size() +
                              notification_.to.size();
    if (bytes > effect_bytes_max) refuse_large();
    vm_.budget.charge(lua_, bytes / 8);
    vm_.effects.add_notification(notification_);
    return 0;
  }

 private:
  [[noreturn]] void refuse_option(const std::string& name, const KnownOptions& known) {
    const std::string near = nearest_word(lua_, name, known);
    raise(lua_, fmt::format("{0}: there is no option '{1}'; {2}", kind_, cut_text(name),
                            near.empty() ? fmt::format("it takes {}", fmt::join(known, ", "))
                                         : fmt::format("did you mean '{}'?", near)));
  }

  void forget(const char* key) {
    lua_pushnil(lua_);
    lua_setfield(lua_, options_, key);
  }

  void one_of(const char* key, std::initializer_list<std::string_view> words) {
    lua_getfield(lua_, options_, key);
    if (!lua_isnil(lua_, -1)) {
      const std::string_view word = text_argument(lua_, -1, kind_, fmt::format("options.{}", key));
      if (std::ranges::find(words, word) == words.end()) {
        raise(lua_, fmt::format("{}: options.{} must be one of {}, got '{}'", kind_, key,
                                fmt::join(words, ", "), cut_text(word)));
      }
    }
    lua_pop(lua_, 1);
  }

  lua_State* lua_;
  Vm& vm_;
  std::string_view kind_;
  int options_ = 0;
  Notification notification_;
};

// (incident_key, description, details, options)
int pager_duty(lua_State* lua) {
  Call call(lua, "pager_duty", 4);
  call.options(4, pager_duty_options);
  call.notification().key = json_text(call.text(1, "the incident key"));
  call.notification().text = call.text(2, "the description");
  call.notification().details = call.table(3, "details");
  call.notification().to = call.take_text("to");
  return call.send();
}

// (recipients, subject, body, options): one recipient or a list. options.to names the channel and
// stays there.
int send_email(lua_State* lua) {
  Call call(lua, "send_email", 4);
  call.options(4, send_email_options);
  std::string to;
  if (is_text(lua, 1)) {
    to = json_text(call.text(1, "the recipients"));
  } else if (lua_istable(lua, 1)) {
    for (int i = 1;; ++i) {
      lua_rawgeti(lua, 1, i);
      if (lua_isnil(lua, -1)) break;
      if (to.size() > effect_bytes_max) call.refuse_large();
      vm_of(lua).budget.charge(lua, 8);
      if (!to.empty()) to += ',';
      to += json_text(call.text(lua_gettop(lua), fmt::format("recipients[{}]", i)));
      lua_pop(lua, 1);
    }
    lua_settop(lua, 4);
  }
  if (to.empty())
    raise(lua, "send_email: the recipients must be an address or a list of addresses, got " +
                   describe(lua, 1));
  call.notification().to = "[" + to + "]";
  call.notification().text = call.text(2, "the subject");
  call.notification().details =
      R"({"body":)" + json_text(lua_isnil(lua, 3) ? "" : call.text(3, "the body")) + "}";
  call.notification().key = call.take_text("key");
  return call.send();
}

// "https://user:password@host/". What may stand between the scheme and a host is skipped as libcurl
// does, so that it finds no user where this does not.
bool holds_user(std::string_view url) {
  url.remove_prefix(url.find(':') + 1);
  url.remove_prefix(std::min(url.find_first_not_of('/'), url.size()));
  return url.substr(0, url.find_first_of("/?#")).find('@') != std::string_view::npos;
}

// Of options.headers, one that carries what only the channel may know; nothing if there is none.
std::optional<std::string> secret_header(lua_State* lua, int options) {
  LeastText found;
  lua_getfield(lua, options, "headers");
  open_frozen(lua, lua_gettop(lua));
  if (lua_istable(lua, -1)) {
    charge_walk(lua, -1);
    for (lua_pushnil(lua); lua_next(lua, -2) != 0; lua_pop(lua, 1)) {
      if (!is_text(lua, -2)) continue;
      const std::string name = lowered(std::string(text_at(lua, -2)));
      if (name == "authorization" || name == "proxy-authorization" || name == "cookie")
        found.add(std::string(text_at(lua, -2)));
    }
  }
  lua_pop(lua, 1);
  if (!found) return std::nullopt;
  return *found;
}

// (url, options): the address stays in options.url.
int web_hook(lua_State* lua) {
  Call call(lua, "web_hook", 2);
  call.options(2, web_hook_options);
  const std::string_view url = call.text(1, "the URL");
  // No error repeats it: it may hold a key.
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    raise(lua, "web_hook: the URL must begin with http:// or https://");
  if (holds_user(url)) {
    raise(lua,
          "web_hook: the URL holds a user name or password, which everybody could read; keep the "
          "header's value in a file that the channel's authorization_file names, as "
          "\"Basic …\"");
  }
  if (const auto header = secret_header(lua, 2)) {
    raise(lua, fmt::format("web_hook: the header {} in a call could be read by everybody; keep its "
                           "value in a file that the channel's authorization_file names",
                           cut_text(*header)));
  }
  call.set_text("url", url);
  call.notification().to = call.take_text("to");
  call.notification().key = call.take_text("key");
  call.notification().details = call.take_table("details");
  // The text is borrowed: it stays at its place on the stack.
  lua_getfield(lua, 2, "text");
  if (!lua_isnil(lua, -1)) call.notification().text = call.text(lua_gettop(lua), "options.text");
  call.take_text("text");
  return call.send();
}

// (text, options)
int slack(lua_State* lua) {
  Call call(lua, "slack", 2);
  call.options(2, slack_options);
  call.notification().text = call.text(1, "the text");
  call.notification().to = call.take_text("to");
  call.notification().key = call.take_text("key");
  call.notification().details = call.take_table("details");
  return call.send();
}

// {alertname="x",host="y"}, sorted, as Prometheus writes label sets.
std::string alert_key(lua_State* lua, int index, Call& call) {
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  std::size_t bytes = 0;
  bool texts = true;
  charge_walk(lua, index);
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    if (is_text(lua, -2) && is_text(lua, -1)) {
      bytes += text_at(lua, -2).size() + text_at(lua, -1).size();
      if (bytes <= effect_bytes_max) labels.emplace_back(text_at(lua, -2), text_at(lua, -1));
    } else {
      texts = false;
    }
    lua_pop(lua, 1);
  }
  // Not from within the walk: which of the two came first is the VM's own affair.
  if (!texts) raise(lua, "alertmanager: labels must be strings named by strings");
  if (bytes > effect_bytes_max) call.refuse_large();
  if (labels.empty()) raise(lua, "alertmanager: there must be at least one label");
  std::ranges::sort(labels);
  std::string key = "{";
  for (const auto& [name, value] : labels) {
    if (key.size() > 1) key += ',';
    key += fmt::format("{}={}", name, json_text(value));
  }
  return key + "}";
}

// (labels, annotations, options)
int alertmanager(lua_State* lua) {
  Call call(lua, "alertmanager", 3);
  call.options(3, alertmanager_options);
  if (is_labels(lua, 1)) {
    push_labels_table(lua, 1);
    lua_replace(lua, 1);
  }
  if (!lua_istable(lua, 1))
    raise(lua, "alertmanager: labels must be a table, got " + describe(lua, 1));
  call.notification().key = json_text(alert_key(lua, 1, call));
  call.notification().details = fmt::format(R"({{"annotations":{},"labels":{}}})",
                                            call.table(2, "annotations"), call.table(1, "labels"));
  for (const char* key : {"description", "summary"}) {
    if (lua_isnil(lua, 2)) break;
    lua_getfield(lua, 2, key);
    if (is_text(lua, -1)) call.notification().text = call.text(lua_gettop(lua), key);
  }
  call.notification().to = call.take_text("to");
  return call.send();
}

}  // namespace

void add_notification_functions(lua_State* lua) {
  add_function(lua, "pager_duty", pager_duty);
  add_function(lua, "send_email", send_email);
  add_function(lua, "web_hook", web_hook);
  add_function(lua, "slack", slack);
  add_function(lua, "alertmanager", alertmanager);
}

}  // namespace hastur
