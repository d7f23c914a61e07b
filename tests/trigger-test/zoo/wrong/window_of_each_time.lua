-- A window with a key for each time.
-- caught: state["@window.lately"] grows without end
-- told: call its drop(k)

local ctx = hastur.trigger{}
local lately = ctx:window("lately", { last = 5 })
ctx:gauges({ name = "load" }, function(msg)
  lately:add(msg.timestamp, msg.value) -- here
end)
