#pragma once

// What `hastur demo` shows of each look at the supervisor: lines of what happened, and one line of
// how it stands. Nothing is printed here.

#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/time.h"

namespace hastur {

// One look. Counts are totals since the supervisor's start.
struct DemoLook {
  Time now;
  double received_total = 0;
  double refused_total = 0;
  double behind = 0;
  std::vector<Json> messages;
  bool passed_over = false;
  std::vector<Json> notifications;
  // The items of /v1/triggers.
  Json triggers = Json::array();
};

class DemoScreen {
 public:
  // Lines are cut to so many columns; 0 for never.
  explicit DemoScreen(std::size_t columns_max) : columns_max_(columns_max) {}

  // Changes of triggers, notifications, derived messages (the first few of many), and each 5 s the
  // newest values. The first look shows no change of triggers: those were there before.
  std::vector<std::string> lines(const DemoLook& look);

  // "12:00:05  in 41/s  derived 3/s  would notify 1  behind 0", of the look last taken by lines().
  std::string status() const { return status_; }

 private:
  void add(std::string line);
  void show_triggers(const Json& triggers);
  void show_notifications(const std::vector<Json>& notifications);
  void show_derived(const std::vector<Json>& messages);
  void show_values();

  std::size_t columns_max_;
  std::vector<std::string> out_;
  std::string status_;
  bool first_ = true;
  Time last_;
  Time values_shown_;
  double received_before_ = 0;
  std::size_t derived_ = 0;
  std::uint64_t notifications_ = 0;
  // By trigger, what is said of it: version, status, errors.
  std::map<std::string, std::string> triggers_;
  // The newest value of each gauge of the host itself, by name; those with labels by name and label
  // values.
  std::map<std::string, double> values_;
};

}  // namespace hastur
