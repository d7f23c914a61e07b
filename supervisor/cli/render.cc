#include "supervisor/cli/render.h"

#include <fmt/format.h>

#include <charconv>

#include "core/json.h"
#include "core/time.h"
#include "supervisor/cli/text.h"

namespace hastur {
namespace {

const Json* find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

double number(const Json& object, const char* key) {
  const Json* value = find(object, key);
  return value != nullptr && value->is_number() ? value->get<double>() : 0;
}

std::string clock_time(const Json& object, const char* key) {
  const Json* us = find(object, key);
  if (us == nullptr || !us->is_number_integer()) return "--:--:--.---";
  const Time time = time_from_us(us->get<std::int64_t>());
  const auto of_day = std::chrono::floor<std::chrono::milliseconds>(
      time - std::chrono::floor<std::chrono::days>(time));
  const auto ms = of_day.count();
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

// The error of a script as "file:line: text".
std::string script_error(const Json& error) {
  if (error.is_string()) return printable(error.get<std::string>());
  const std::string script = shown(error, "script");
  const std::string text = shown(error, "text");
  if (script.empty()) return text;
  // Of a whole file there is no line.
  const std::string line = shown(error, "line");
  return line == "0" ? fmt::format("{}: {}", script, text)
                     : fmt::format("{}:{}: {}", script, line, text);
}

std::string labels_text(const Json& labels) {
  std::string out;
  for (const auto& [key, value] : labels.items()) {
    out += out.empty() ? "{" : " ";
    out += fmt::format(
        "{}={}", printable(key),
        printable(value.is_string() ? value.get<std::string>() : canonical_json(value)));
  }
  return out.empty() ? out : out + "}";
}

}  // namespace

std::string message_line(const Json& message) {
  std::string line = clock_time(message, "received_at") + " " + shown(message, "type");
  // What a message of a type without name and value says stands in one of these.
  for (const char* key : {"name", "value", "subject", "error", "data", "hostname"}) {
    if (std::string_view(key) == "hostname") {
      const std::string host = shown(message, key);
      line += " on " + (host.empty() ? shown(message, "uuid").substr(0, 8) : host);
    } else if (const std::string text = shown(message, key); !text.empty()) {
      line += " " + text;
    }
  }
  if (const Json* labels = find(message, "labels");
      labels != nullptr && labels->is_object() && !labels->empty()) {
    line += " " + labels_text(*labels);
  }
  if (const Json* origin = find(message, "origin")) line += " from " + shown(*origin, "trigger");
  return line;
}

std::string notification_line(const Json& notification) {
  std::string line = clock_time(notification, "time") + " " + shown(notification, "kind");
  if (const std::string key = shown(notification, "key"); !key.empty()) line += " " + key;
  if (const std::string text = shown(notification, "text"); !text.empty()) line += ": " + text;
  return line +
         fmt::format(" ({}, {})", shown(notification, "trigger"), shown(notification, "status"));
}

std::string trigger_table(const Json& items) {
  std::vector<std::vector<std::string>> rows;
  std::string refusals;
  for (const Json& item : items) {
    const std::string name = shown(item, "name");
    const bool is_pinned = find(item, "pinned") != nullptr;
    rows.push_back({name, shown(item, "status") + (is_pinned ? ", pinned" : ""),
                    short_count(number(item, "callbacks")), short_count(number(item, "errors")),
                    short_count(number(item, "lag")), shown(item, "state_bytes")});
    for (const char* key : {"refused", "load_error"}) {
      if (const Json* error = find(item, key))
        refusals += fmt::format("{}: {}\n", name, script_error(*error));
    }
  }
  if (rows.empty())
    return "no trigger runs: a .lua file in the folder or the branch that [triggers] names is one; "
           "`hastur status` says if something hinders it\n";
  std::string out = table({"TRIGGER", "STATUS", "CALLS", "ERRORS", "BEHIND", "STATE BYTES"}, rows);
  return refusals.empty() ? out : out + "\n" + refusals;
}

std::string snapshot_table(const Json& items) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& item : items) {
    const Json* time = find(item, "time");
    const bool reachable = item.value("reachable", false);
    rows.push_back({shown(item, "id"),
                    time != nullptr && time->is_number_integer()
                        ? format_time(time_from_us(time->get<std::int64_t>()))
                        : "",
                    shown(item, "run"), shown(item, "sequence"), shown(item, "bytes"),
                    shown(item, "why"), reachable ? "yes" : "no"});
  }
  if (rows.empty()) return "no snapshot yet: the first is taken a minute after a trigger's first\n";
  return table({"SNAPSHOT", "TIME", "RUN", "SEQUENCE", "BYTES", "WHY", "CAN BE REPLAYED"}, rows);
}

std::string trigger_page(const Json& trigger, const Json& state, const Json& pin) {
  std::string out = fmt::format("{}  {}\n", shown(trigger, "name"), shown(trigger, "status"));
  constexpr std::pair<const char*, const char*> plain[] = {
      {"script", "script"},       {"version", "version"},           {"run", "run"},
      {"cursor", "read up to"},   {"lag", "messages behind"},       {"callbacks", "calls"},
      {"errors", "failed calls"}, {"instructions", "instructions"}, {"restarts", "worker died"},
      {"diverged", "diverged"},
  };
  for (const auto& [key, label] : plain) {
    if (const std::string text = shown(trigger, key); !text.empty())
      out += fmt::format("  {:<16} {}\n", label, text);
  }
  if (pin.is_object()) {
    const Json* since = find(pin, "since");
    const bool is_time = since != nullptr && since->is_number_integer();
    out +=
        fmt::format("  {:<16} by {}{}: {}\n", "pinned", shown(pin, "deployment"),
                    is_time ? " at " + format_time(time_from_us(since->get<std::int64_t>())) : "",
                    shown(pin, "why"));
  }
  for (const auto& [key, label] :
       {std::pair{"effects_cut", "effects cut"}, std::pair{"helpers_dropped", "helpers dropped"}}) {
    if (number(trigger, key) > 0) out += fmt::format("  {:<16} {}\n", label, shown(trigger, key));
  }
  if (find(trigger, "state_bytes") != nullptr) {
    out += fmt::format("  {:<16} {} of {}\n", "state bytes", shown(trigger, "state_bytes"),
                       shown(trigger, "state_bytes_max"));
  }
  for (const auto& [key, label] :
       {std::pair{"refused", "refused"}, std::pair{"load_error", "does not load"},
        std::pair{"last_error", "last error"}}) {
    if (const Json* error = find(trigger, key))
      out += fmt::format("  {:<16} {}\n", label, script_error(*error));
  }
  if (const Json* subscriptions = find(trigger, "subscriptions"); subscriptions != nullptr) {
    for (const Json& subscription : *subscriptions) {
      out += fmt::format("  {:<16} {} {}\n", "line " + shown(subscription, "line"),
                         shown(subscription, "types"), shown(subscription, "filter"));
    }
  }
  if (const Json* log = find(trigger, "log"); log != nullptr) {
    for (const Json& line : *log) {
      const std::string where = shown(line, "script");
      out += fmt::format("  {:<16} {} {}\n", shown(line, "kind"), clock_time(line, "time"),
                         where.empty() ? shown(line, "text") : script_error(line));
    }
  }
  if (state.is_object()) {
    out += fmt::format("state at {}, up to {}:\n", clock_time(state, "time"),
                       shown(state, "sequence"));
    const Json* value = find(state, "state");
    const std::string text =
        value == nullptr ? "{}" : value->dump(2, ' ', false, Json::error_handler_t::replace);
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      out += "  " + printable(std::string_view(text).substr(at, end - at)) + "\n";
      at = end + 1;
    }
  }
  return out;
}

std::map<std::string, double> parse_metrics(std::string_view text) {
  std::map<std::string, double> metrics;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string_view::npos) continue;
    double value = 0;
    const auto [stop, error] =
        std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
    if (error == std::errc{} && stop == line.data() + line.size())
      metrics[std::string(line.substr(0, space))] = value;
  }
  return metrics;
}

double metric_sum(const std::map<std::string, double>& metrics, const std::string& family) {
  double sum = 0;
  for (auto it = metrics.lower_bound(family); it != metrics.end() && it->first.starts_with(family);
       ++it) {
    if (it->first.size() == family.size() || it->first[family.size()] == '{') sum += it->second;
  }
  return sum;
}

namespace {

// What says which triggers run, and what is wrong with it.
std::string source_lines(const Json& source) {
  std::string trouble;
  if (const Json* told = find(source, "trouble"); told != nullptr && told->is_object())
    trouble = fmt::format("\n  since {}: {}", clock_time(*told, "since"), shown(*told, "text"));
  if (shown(source, "kind") == "directory") {
    return fmt::format("\n{:<16} the folder {}", "follows", shown(source, "directory")) + trouble;
  }
  if (shown(source, "kind") != "branch") return {};
  constexpr std::size_t short_hash = 10;
  const std::string tip = shown(source, "tip").substr(0, short_hash);
  const std::string taken = shown(source, "taken").substr(0, short_hash);
  std::string out = fmt::format("\n{:<16} {} of {}, at {}", "follows", shown(source, "branch"),
                                shown(source, "repo"), tip.empty() ? "nothing yet" : tip);
  const Json* refused = find(source, "refused");
  if (refused != nullptr && !refused->is_null())
    out += fmt::format("\n  {} is refused (hastur deployments says why); {} runs", tip,
                       taken.empty() ? "what was there before" : taken);
  return out + trouble;
}

}  // namespace

std::string status_page(const Json& health, const std::map<std::string, double>& metrics,
                        const Json& triggers, const Json& notify, const Json& source) {
  std::string out = fmt::format("supervisor       {}\n", shown(health, "status"));
  if (const Json* troubles = find(health, "troubles");
      troubles != nullptr && troubles->is_array()) {
    for (const Json& trouble : *troubles) {
      out += fmt::format("  {}\n", printable(trouble.is_string() ? trouble.get<std::string>()
                                                                 : canonical_json(trouble)));
    }
  }
  const auto line = [&](const char* label, const char* family) {
    out += fmt::format("{:<16} {:.0f}\n", label, metric_sum(metrics, family));
  };
  line("received", "hastur_received_total");
  line("refused", "hastur_refused_total");
  line("kernel dropped", "hastur_kernel_dropped_total");
  line("stream stands at", "hastur_stream_sequence");
  line("messages behind", "hastur_lag_sequences");
  std::map<std::string, int> by_status;
  for (const Json& trigger : triggers) ++by_status[shown(trigger, "status")];
  out += fmt::format("{:<16} {}", "triggers", triggers.size());
  for (const auto& [status, count] : by_status) out += fmt::format(", {} {}", count, status);
  out += source_lines(source);
  if (!notify.is_object()) return out + "\n";
  out += fmt::format("\n{:<16} {}", "notifications", shown(notify, "mode"));
  const Json* orders = find(notify, "orders");
  if (orders != nullptr && !orders->empty())
    out += fmt::format(", {} order{} in force", orders->size(), orders->size() == 1 ? "" : "s");
  const Json* channels = find(notify, "channels");
  if (channels == nullptr) return out + "\n";
  for (const Json& channel : *channels) {
    const std::string trouble = shown(channel, "trouble");
    if (!trouble.empty()) out += fmt::format("\n  {}: {}", shown(channel, "name"), trouble);
    if (shown(channel, "mode") != "on")
      out += fmt::format("\n  {}: mode {}", shown(channel, "name"), shown(channel, "mode"));
  }
  return out + "\n";
}

}  // namespace hastur
