-- No value is above 90 and below 10.
-- caught: no message that the hunt makes
-- told: A test
local ctx = hastur.trigger{}
ctx:gauges({ name = "x", value = { above = 90, below = 10 } }, function(msg) slack("high") end)  -- here
