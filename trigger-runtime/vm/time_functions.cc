// hastur.now, utc and us: time comes from the input, never from the machine.

#include <fmt/format.h>

#include <cmath>

#include "core/time.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

int now(lua_State* lua) {
  require_callback(lua, "hastur.now() is the time of an input and");
  lua_pushnumber(lua, static_cast<double>(to_us(vm_of(lua).effects.now())));
  return 1;
}

// Appends what `%code` stands for at `time`; false for an unknown code.
bool append_code(std::string& out, char code, Time time) {
  constexpr std::string_view days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
  constexpr std::string_view months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::int64_t us = (time - day).count();
  const std::int64_t second = us / us_per_second;
  const unsigned month = static_cast<unsigned>(date.month());
  const unsigned weekday = std::chrono::weekday{day}.c_encoding();
  const auto put = [&out](std::string_view form, auto number) {
    out += fmt::format(fmt::runtime(form), number);
  };
  switch (code) {
    case 'Y':
      put("{:04}", static_cast<int>(date.year()));
      return true;
    case 'm':
      put("{:02}", month);
      return true;
    case 'd':
      put("{:02}", static_cast<unsigned>(date.day()));
      return true;
    case 'H':
      put("{:02}", second / 3600);
      return true;
    case 'M':
      put("{:02}", second / 60 % 60);
      return true;
    case 'S':
      put("{:02}", second % 60);
      return true;
    case 'f':
      put("{:06}", us % us_per_second);
      return true;
    case 'F':
      return append_code(out, 'Y', time) && (out += '-', append_code(out, 'm', time)) &&
             (out += '-', append_code(out, 'd', time));
    case 'T':
      return append_code(out, 'H', time) && (out += ':', append_code(out, 'M', time)) &&
             (out += ':', append_code(out, 'S', time));
    case 'j':
      put("{:03}",
          (day - std::chrono::sys_days{date.year() / std::chrono::January / 1}).count() + 1);
      return true;
    case 'A':
      out += days[weekday];
      return true;
    case 'a':
      out += days[weekday].substr(0, 3);
      return true;
    case 'B':
      out += months[month - 1];
      return true;
    case 'b':
      out += months[month - 1].substr(0, 3);
      return true;
    case 'w':
      put("{}", weekday);
      return true;
    case '%':
      out += '%';
      return true;
    default:
      return false;
  }
}

// hastur.utc(t[, format]): t in µs; RFC 3339 without a format.
int utc(lua_State* lua) {
  if (lua_type(lua, 1) != LUA_TNUMBER) {
    raise(lua,
          "hastur.utc takes a time in microseconds, such as hastur.now(), got " + describe(lua, 1));
  }
  const double us = lua_tonumber(lua, 1);
  // Years 0 to 9999: what four digits can say.
  if (!(us >= -62'167'219'200e6 && us < 253'402'300'800e6))
    raise(lua, "hastur.utc: the time is not within years 0 to 9999");
  const Time time = time_from_us(static_cast<std::int64_t>(std::floor(us)));
  if (lua_isnoneornil(lua, 2)) {
    push_text(lua, format_time(time));
    return 1;
  }
  const std::string_view form = text_argument(lua, 2, "hastur.utc", "the format");
  vm_of(lua).budget.charge(lua, 4 * form.size());
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '%') {
      out += form[i];
    } else if (i + 1 == form.size() || !append_code(out, form[i + 1], time)) {
      raise(lua, "hastur.utc knows %Y %m %d %H %M %S %f (microseconds) %F %T %j %A %a %B %b %w %%");
    } else {
      ++i;
    }
  }
  push_text(lua, out);
  return 1;
}

int us(lua_State* lua) {
  const Result<Micros> span = parse_span(text_argument(lua, 1, "hastur.us", "the span"));
  if (!span) raise(lua, "hastur.us: " + span.error().message);
  lua_pushnumber(lua, static_cast<double>(span->count()));
  return 1;
}

}  // namespace

void add_time_functions(lua_State* lua) {
  add_function(lua, "now", now);
  add_function(lua, "utc", utc);
  add_function(lua, "us", us);
}

}  // namespace hastur
