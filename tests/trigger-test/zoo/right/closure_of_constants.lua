-- A function that a function has made, and that changes nothing.

local ctx = hastur.trigger{}
local function above(limit) return function(value) return value > limit end end
local is_high = above(90)
ctx:gauges({ name = "load" }, function(msg) if is_high(msg.value) then print("high") end end)
