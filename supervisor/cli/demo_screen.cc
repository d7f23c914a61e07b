#include "supervisor/cli/demo_screen.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/json.h"
#include "supervisor/cli/render.h"
#include "supervisor/cli/text.h"

namespace hastur {
namespace {

constexpr std::size_t derived_lines_max = 4;
constexpr std::size_t notification_lines_max = 10;
constexpr std::size_t values_max = 500;
constexpr Micros values_period = std::chrono::seconds{5};
constexpr std::size_t values_columns = 66;

// What a newcomer knows the meaning of, first.
constexpr const char* values_first[] = {"system.load.1m", "system.cpu.busy",
                                        "system.memory.used_percent"};

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : canonical_json(*found);
}

// Why a trigger does not run as its file says.
std::string trouble_of(const Json& trigger) {
  for (const char* key : {"refused", "load_error"}) {
    const auto found = trigger.find(key);
    if (found == trigger.end() || found->is_null()) continue;
    if (!found->is_object()) return text_at(trigger, key);
    return fmt::format("{}:{}: {}", text_at(*found, "script"), text_at(*found, "line"),
                       text_at(*found, "text"));
  }
  return {};
}

}  // namespace

void DemoScreen::add(std::string line) {
  out_.push_back(columns_max_ == 0 ? std::move(line) : cut(line, columns_max_));
}

std::vector<std::string> DemoScreen::lines(const DemoLook& look) {
  out_.clear();
  show_triggers(look.triggers);
  show_notifications(look.notifications);
  show_derived(look.messages);
  for (const Json& message : look.messages) {
    if (message.value("type", "") != "gauge" || message.contains("origin") ||
        !message.contains("value"))
      continue;
    std::string name = text_at(message, "name");
    if (message.contains("labels")) {
      for (const auto& [key, value] : message["labels"].items())
        name += " " + text_at(message["labels"], key.c_str());
    }
    if (values_.size() < values_max || values_.contains(name))
      values_[printable(name)] = message["value"].get<double>();
  }
  if (look.passed_over) add("  too many messages to show; some were passed over");
  if (look.now - values_shown_ >= values_period && !values_.empty()) {
    values_shown_ = look.now;
    show_values();
  }

  const double seconds =
      first_ ? 0 : static_cast<double>((look.now - last_).count()) / us_per_second;
  const double received = look.received_total - received_before_;
  const auto rate = [&](double count) {
    return seconds <= 0 ? std::string("-") : short_count(count / seconds);
  };
  status_ =
      fmt::format("{:%H:%M:%S}  in {}/s  derived {}/s  would notify {}  behind {}",
                  std::chrono::floor<std::chrono::seconds>(look.now), rate(std::max(0.0, received)),
                  rate(static_cast<double>(derived_)), notifications_, short_count(look.behind));
  if (look.refused_total > 0)
    status_ += fmt::format("  refused {}", short_count(look.refused_total));
  if (columns_max_ != 0) status_ = cut(status_, columns_max_);
  received_before_ = look.received_total;
  last_ = look.now;
  first_ = false;
  return std::move(out_);
}

void DemoScreen::show_triggers(const Json& triggers) {
  std::map<std::string, std::string> now;
  for (const Json& trigger : triggers) {
    const std::string name = printable(text_at(trigger, "name"));
    const std::string trouble = printable(trouble_of(trigger));
    now[name] = text_at(trigger, "version") + "\n" + trouble;
    const auto before = triggers_.find(name);
    if (first_ && trouble.empty()) continue;
    if (!first_ && before != triggers_.end() && before->second == now[name]) continue;
    if (!trouble.empty()) {
      add(fmt::format("  refused       {}: {}", name, trouble));
    } else if (before == triggers_.end()) {
      add(fmt::format("  new trigger   {}", name));
    } else {
      add(fmt::format("  loaded        {}: the saved file runs now", name));
    }
  }
  for (const auto& [name, said] : triggers_) {
    if (!now.contains(name)) add(fmt::format("  gone          {}", name));
  }
  triggers_ = std::move(now);
}

void DemoScreen::show_notifications(const std::vector<Json>& notifications) {
  std::size_t shown = 0;
  for (const Json& notification : notifications) {
    ++notifications_;
    if (++shown <= notification_lines_max)
      add("  would notify  " + notification_line(notification));
  }
  if (shown > notification_lines_max)
    add(fmt::format("  would notify  … and {} more", shown - notification_lines_max));
}

void DemoScreen::show_derived(const std::vector<Json>& messages) {
  derived_ = 0;
  for (const Json& message : messages) {
    if (!message.contains("origin")) continue;
    if (++derived_ <= derived_lines_max) add("  derived       " + message_line(message));
  }
  if (derived_ > derived_lines_max)
    add(fmt::format("  derived       … and {} more", derived_ - derived_lines_max));
}

void DemoScreen::show_values() {
  std::string line;
  const auto append = [&](const std::string& name, double value) {
    std::string part =
        fmt::format("{} {}", name.starts_with("system.") ? name.substr(7) : name,
                    std::abs(value) < 1000 ? fmt::format("{:.4g}", value) : short_count(value));
    if (columns_of(line) + columns_of(part) + 2 > values_columns) return;
    line += (line.empty() ? "" : "  ") + part;
  };
  for (const char* name : values_first) {
    if (const auto found = values_.find(name); found != values_.end()) append(name, found->second);
  }
  for (const auto& [name, value] : values_) {
    if (std::find(std::begin(values_first), std::end(values_first), name) == std::end(values_first))
      append(name, value);
  }
  add("  values        " + line);
}

}  // namespace hastur
