-- An alert that is opened for each time and never cleared.
-- caught: state["@alert.high"] grows without end
-- told: stale =

local ctx = hastur.trigger{}
local high = ctx:alert("high", { raise = { above = 0.5 } })
ctx:gauges({ name = "load" }, function(msg)
  high:set(hastur.utc(msg.timestamp, "%F %T"), msg.value, "high") -- here
end)
