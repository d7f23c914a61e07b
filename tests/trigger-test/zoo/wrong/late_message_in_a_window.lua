-- The mean of a window that is empty, since the message came too late for it.
-- caught: the value must be a number, a string or a boolean, got nil
-- told: got nil

local ctx = hastur.trigger{}
local loads = ctx:window("loads", { span = "5m" })
local busy = ctx:alert("busy", { raise = { above = 50 } })
ctx:gauges({ name = "load" }, function(msg)
  loads:add(msg.host, msg.value)
  busy:set(msg.host, loads:mean(msg.host), msg.host .. " is busy") -- here
end)
