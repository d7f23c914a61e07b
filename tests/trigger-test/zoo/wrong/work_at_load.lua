-- A table of primes, at every start.
-- caught: instructions in one call

local ctx = hastur.trigger{}
local sum = 0
for i = 1, 1e9 do sum = sum + i end -- here
ctx:gauges({ name = "load" }, function(msg) print(sum) end)
