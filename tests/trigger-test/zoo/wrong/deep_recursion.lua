-- A function that calls itself for ever.
-- caught: stack overflow

local ctx = hastur.trigger{}
local function depth(n) return 1 + depth(n + 1) end -- here
ctx:gauges({ name = "load" }, function(msg) print(depth(0)) end)
