#include "trigger-test/hunt_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "core/json.h"

namespace hastur {
namespace {

// Notifications as their receivers tell them apart, in order of these texts.
std::vector<std::string> notifications(const Outcome& outcome, const Nicknames& names) {
  std::vector<std::string> list;
  for (const Seen& seen : outcome.seen) {
    if (!seen.effect || seen.effect->kind != EffectKind::notification) continue;
    const Result<Json> what = parse_json(names.read(seen.effect->payload));
    if (!what) continue;
    std::string action = "trigger";
    if (what->contains("options") && (*what)["options"].is_object())
      action = (*what)["options"].value("action", action);
    const Json key = what->value("key", Json());
    const Json text = what->value("text", Json());
    list.push_back(fmt::format("{}{} {}, \"{}\"", what->value("kind", ""),
                               action == "trigger" ? "" : " " + action,
                               key.is_string() ? key.get<std::string>() : "without a key",
                               text.is_string() ? text.get<std::string>() : ""));
  }
  std::ranges::sort(list);
  return list;
}

}  // namespace

std::optional<OrderDifference> order_difference(const Outcome& first, const Outcome& second,
                                                const Nicknames& names) {
  const std::vector<std::string> one = notifications(first, names);
  const std::vector<std::string> other = notifications(second, names);
  std::vector<std::string> only_one, only_other;
  std::ranges::set_difference(one, other, std::back_inserter(only_one));
  std::ranges::set_difference(other, one, std::back_inserter(only_other));
  if (only_one.empty() && only_other.empty()) return std::nullopt;
  return OrderDifference{only_one.empty() ? "nothing" : only_one.front(),
                         only_other.empty() ? "nothing" : only_other.front()};
}

TestCase reordered(TestCase test) {
  auto& messages = test.messages;
  for (std::size_t begin = 0; begin < messages.size();) {
    std::size_t end = begin;
    while (end < messages.size() && messages[end].at == messages[begin].at) ++end;
    std::map<std::string, std::vector<MessageSpec>> of_sender;
    std::vector<std::string> senders;
    for (std::size_t i = begin; i < end; ++i) {
      const std::string sender = messages[i].fields.value("uuid", "");
      senders.push_back(sender);
      of_sender[sender].push_back(messages[i]);
    }
    std::ranges::reverse(senders);
    std::map<std::string, std::size_t> taken;
    for (std::size_t i = begin; i < end; ++i) {
      const std::string& sender = senders[i - begin];
      messages[i] = of_sender[sender][taken[sender]++];
    }
    begin = end;
  }
  return test;
}

}  // namespace hastur
