// What docs/testing.md shows is what the program says: each block that begins with a command,
// "$ trigger-test …", is run, and the rest of the block compared with what comes out. Times that
// something took are not compared.

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <vector>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t start_us = 1'704'067'200'000'000;

// The files that the page's commands name.

const char* load_before = R"(local ctx = hastur.trigger{ state = { paged = {}, spikes = 0 } }
local function page(msg, text)
  ctx.state.paged[msg.host] = true
  ctx.state.spikes = ctx.state.spikes + 1
  pager_duty("spike-" .. msg.host, text)
end
ctx:gauges({ name = "load", value = { above = 95 } }, function(msg)
  if not ctx.state.paged[msg.host] then page(msg, "load is " .. msg.value) end
end)
ctx:every("minute", function() hastur.gauge("load.spikes", ctx.state.spikes) end)
)";

const char* load_after =
    R"(local ctx = hastur.trigger{ state = { paged = {}, last = {}, spikes = 0 } }
local function page(msg, text)
  ctx.state.paged[msg.host] = true
  ctx.state.spikes = ctx.state.spikes + 1
  pager_duty("spike-" .. msg.host, text)
end
ctx:gauges({ name = "load" }, function(msg)
  local mean = (msg.value + (ctx.state.last[msg.host] or msg.value)) / 2
  ctx.state.last[msg.host] = msg.value
  if mean > 90 and not ctx.state.paged[msg.host] then
    page(msg, msg.value < 100 and "load is " .. msg.value or "load is at its limit")
  end
end)
ctx:every("minute", function() hastur.gauge("load.spikes", ctx.state.spikes) end)
)";

const char* silent = R"(-- A host that is silent for 30 s: page.
local ctx = hastur.trigger{ state = { heard = {}, paged = {} } }

ctx:agent_heartbeats({}, function(msg)
  ctx.state.heard[msg.uuid], ctx.state.paged[msg.uuid] = hastur.now(), false
end)

ctx:every("5s", function(tick)
  for uuid, heard in pairs(ctx.state.heard) do
    local silent = tick.time - heard
    if not ctx.state.paged[uuid] and silent >= hastur.us("30s") then
      pager_duty("no_heartbeat/" .. uuid, "no heartbeat for 30 s")
      ctx.state.paged[uuid] = true
    end
  end
end)
)";

const char* silent_test = R"(return {
  name = "a host that falls silent is paged once",
  messages = { { type = "hb_agent", uuid = "u1", at = "25s" } },
  expect = { { at = "50s", page = "no_heartbeat/u1" } },
}
)";

// Loads of five hosts every five seconds for five minutes, 20 but for some spikes.
std::string yesterday() {
  const std::map<std::string, std::map<int, int>> spikes = {{"web1", {{16, 89}, {17, 98}}},
                                                            {"web2", {{24, 96}, {25, 96}}},
                                                            {"web3", {{14, 99}}},
                                                            {"web4", {{30, 89}, {31, 100}}},
                                                            {"web7", {{35, 92}, {36, 92}}}};
  std::string lines;
  for (int round = 0; round < 60; ++round) {
    for (const auto& [host, values] : spikes) {
      const auto spike = values.find(round);
      lines += fmt::format(
          R"({{"type":"gauge","name":"load","value":{},"timestamp":{},"hostname":"{}"}})"
          "\n",
          spike == values.end() ? 20 : spike->second, start_us + round * 5 * us_per_second, host);
    }
  }
  return lines;
}

// Ten requests in the middle of each of 300 seconds, failed ones in every twentieth; once one
// whose status is a text.
std::string requests() {
  std::string lines;
  const auto add = [&lines](std::int64_t ms, int count, const char* status) {
    lines += fmt::format(
        R"({{"type":"counter","name":"http.requests","value":{},"timestamp":{},"hostname":"web1",)"
        R"("labels":{{"service":"api","status":{}}}}})"
        "\n",
        count, start_us + ms * 1'000, status);
  };
  for (int second = 0; second < 300; ++second) {
    add(second * 1'000 + 500, 10, second % 20 == 0 ? "500" : "200");
    if (second == 245) add(second * 1'000 + 700, 1, "\"500\"");
  }
  return lines;
}

struct Shown {
  std::size_t line = 0;
  std::string arguments;
  std::string output;
};

std::vector<Shown> shown_on_page() {
  const std::string command = "$ trigger-test ";
  std::vector<Shown> all;
  std::ifstream page(HASTUR_DOCS "/testing.md");
  std::string before;
  bool within = false;
  std::size_t number = 0;
  for (std::string line; std::getline(page, line); before = line) {
    ++number;
    if (line == "```") {
      within = false;
    } else if (within) {
      all.back().output += line + "\n";
    } else if (before == "```" && line.starts_with(command)) {
      within = true;
      all.push_back({number, line.substr(command.size()), ""});
    }
  }
  return all;
}

std::string without_times(const std::string& text) {
  return std::regex_replace(text, std::regex("[0-9.]+ (ms|s)\\b"), "TIME");
}

class TestingPage : public testing::TriggerTestCommand {};

TEST_F(TestingPage, ShowsWhatTheProgramSays) {
  fs::copy(HASTUR_TRIGGERS, folder_ / "triggers", fs::copy_options::recursive);
  write("before/load.lua", load_before);
  write("after/load.lua", load_after);
  write("yesterday.jsonl", yesterday());
  write("requests.jsonl", requests());
  write("silent.lua", silent);
  write("silent.test.lua", silent_test);
  const std::vector<Shown> all = shown_on_page();
  EXPECT_GE(all.size(), 5u);
  for (const Shown& shown : all) {
    SCOPED_TRACE(fmt::format("docs/testing.md:{}", shown.line));
    run(shown.arguments);
    EXPECT_EQ(without_times(output_), without_times(shown.output));
    EXPECT_EQ(error_, "");
  }
}

}  // namespace
}  // namespace hastur
