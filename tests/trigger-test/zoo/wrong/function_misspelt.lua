-- There is no such function.
-- caught: field 'guage'
-- told: did you mean hastur.gauge
local ctx = hastur.trigger{}
ctx:gauges({ name = "x" }, function(msg) hastur.guage("a", msg.value) end)  -- here
