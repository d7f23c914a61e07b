#pragma once

// Scripts that remember, derive and notify often.

#include <string>

namespace hastur {

// A derived gauge every 200 gauges, a notification every 500 counters.
inline const std::string chatty_script = R"(
local ctx = hastur.trigger{ state = { gauges = 0, counters = 0, sum = 0 } }

ctx:gauges({ name = "it.load" }, function(msg)
  local state = ctx.state
  state.gauges = state.gauges + 1
  state.sum = state.sum + msg.value
  if state.gauges % 200 == 0 then
    hastur.gauge("it.derived", state.sum, { at = state.gauges, of = msg.host })
  end
end)

ctx:counters({ name = "it.requests" }, function(msg)
  local state = ctx.state
  state.counters = state.counters + 1
  if state.counters % 500 == 0 then
    pager_duty("requests-" .. state.counters % 10, "Requests from " .. msg.host,
      { n = msg.labels.n, at = hastur.now() })
  end
end)
)";

// Feeds on what chatty derives, and derives from it again.
inline const std::string chain_script = R"(
local ctx = hastur.trigger{ state = { count = 0, last = 0 } }

ctx:gauges({ name = "it.derived" }, function(msg)
  ctx.state.count = ctx.state.count + 1
  ctx.state.last = msg.value
  if ctx.state.count % 10 == 0 then hastur.counter("it.chained", ctx.state.count) end
end)
)";

// Everything, by type and host; a statistic each second.
inline const std::string each_second_script = R"(
local ctx = hastur.trigger{ state = { types = {}, hosts = {} } }

ctx:messages({}, function(msg)
  local types, hosts = ctx.state.types, ctx.state.hosts
  types[msg.type] = (types[msg.type] or 0) + 1
  hosts[msg.host] = (hosts[msg.host] or 0) + 1
end)

ctx:every("second", function(tick)
  local total = 0
  for _, count in pairs(ctx.state.types) do total = total + count end
  hastur.gauge("it.total", total, { missed = tick.missed })
end)
)";

// Raises now and then, after it has changed its state and derived something.
inline const std::string raising_script = R"(
local ctx = hastur.trigger{ state = { marks = 0 } }

ctx:marks({ name = "it.mark" }, function(msg)
  ctx.state.marks = ctx.state.marks + 1
  if msg.labels.n % 1000 == 85 then hastur.event("it.raised") end
  if msg.labels.n % 5000 == 85 then error("this one fails") end
end)
)";

}  // namespace hastur
