-- A walk that goes on from call to call.
-- caught: holds a walk that pairs or gmatch has begun

local ctx = hastur.trigger{}
local next_word = ("red green blue"):gmatch("%a+")
ctx:gauges({ name = "load" }, function(msg) print(next_word()) end)
