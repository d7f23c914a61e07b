#include "trigger-test/measure.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "trigger-test/script_lines.h"

namespace hastur {
namespace {

// A line that only closes what others opened: whether it ran says nothing.
bool only_closes(const std::string& source) {
  std::string rest;
  for (const char c : source) {
    if (c != ')' && c != '}' && c != ',' && c != ';' && c != ' ') rest += c;
  }
  return rest.empty() || rest == "end" || rest == "else" || rest == "endend";
}

const Json* list_of(const Json& observed, const char* what, const std::string& script) {
  if (!observed.is_object()) return nullptr;
  const auto all = observed.find(what);
  if (all == observed.end() || !all->is_object()) return nullptr;
  const auto list = all->find(script);
  return list == all->end() || !list->is_array() ? nullptr : &*list;
}

// "83,000"
std::string grouped(double number) {
  if (number < 100 && number != static_cast<double>(static_cast<std::uint64_t>(number)))
    return fmt::format("{:.3g}", number);
  std::string text = fmt::format("{:.0f}", number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace

void Measured::add(const TriggerFiles& trigger, const Outcome& outcome,
                   std::uint64_t messages_fed) {
  const ScriptLines sources(trigger);
  const std::string& script = trigger.script.path;
  if (const Json* lines = list_of(outcome.observed, "code", script)) {
    for (const Json& line : *lines) {
      if (!line.is_number_unsigned()) continue;
      const auto number = line.get<std::uint32_t>();
      if (!only_closes(sources.at(script, number))) code.insert(number);
    }
  }
  if (const Json* lines = list_of(outcome.observed, "lines", script)) {
    for (const Json& line : *lines) {
      if (!line.is_array() || line.empty() || !line[0].is_number_integer()) continue;
      const auto number = line[0].get<std::uint32_t>();
      if (code.contains(number)) ran.insert(number);
    }
  }
  ++runs;
  messages += messages_fed;
  callbacks += outcome.cost.callbacks;
  instructions += outcome.cost.instructions;
  effects += static_cast<std::uint64_t>(std::ranges::count_if(
      outcome.seen, [](const Seen& seen) { return seen.effect.has_value(); }));
  state_bytes = std::max<std::uint64_t>(state_bytes, outcome.state.size());
}

unsigned Measured::percent() const {
  if (runs == 0) return 0;
  return code.empty() ? 100 : static_cast<unsigned>(100 * ran.size() / code.size());
}

std::string Measured::missed_words() const {
  std::string words;
  for (auto line = code.begin(); line != code.end();) {
    if (ran.contains(*line)) {
      ++line;
      continue;
    }
    // As far as nothing that ran stands between.
    const std::uint32_t first = *line;
    std::uint32_t last = first;
    while (++line != code.end() && !ran.contains(*line)) last = *line;
    words += (words.empty() ? "" : ", ") +
             (first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
  }
  return words;
}

double Measured::for_1000(std::uint64_t number) const {
  return messages == 0 ? 0 : static_cast<double>(number) * 1000 / static_cast<double>(messages);
}

std::string Measured::words() const {
  if (runs == 0) return "no test runs any of its lines";
  const std::string missed = missed_words();
  std::string text =
      fmt::format("{} % of {} line{}", percent(), code.size(), code.size() == 1 ? "" : "s");
  if (!missed.empty()) text += fmt::format(", never {}", missed);
  if (messages == 0) return text;
  return text + fmt::format("; for 1,000 messages {} instructions, {} effects; state {} bytes",
                            grouped(for_1000(instructions)), grouped(for_1000(effects)),
                            grouped(static_cast<double>(state_bytes)));
}

Json Measured::json() const {
  Json missed = Json::array();
  for (const std::uint32_t line : code) {
    if (!ran.contains(line)) missed.push_back(line);
  }
  return {{"lines", code.size()},
          {"lines_run", ran.size()},
          {"percent", percent()},
          {"missed", std::move(missed)},
          {"messages", messages},
          {"callbacks", callbacks},
          {"instructions", instructions},
          {"effects", effects},
          {"state_bytes", state_bytes},
          {"instructions_per_1000", for_1000(instructions)},
          {"effects_per_1000", for_1000(effects)}};
}

}  // namespace hastur
