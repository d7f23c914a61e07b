-- Each value is an incident of its own, which is never cleared.
-- caught: grows without end
-- told: make keys of what comes again
local ctx = hastur.trigger{}
local high = ctx:alert("high", { raise = { above = 90 }, clear = { below = 80 } })
ctx:gauges({ name = "cpu" }, function(msg)
  high:set(msg.host .. " is at " .. msg.value, msg.value, "high")  -- here
end)
