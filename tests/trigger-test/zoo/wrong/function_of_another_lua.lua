-- Another Lua has it.
-- caught: field 'unpack'
-- told: it is unpack(list) here
local ctx = hastur.trigger{}
ctx:gauges({ name = "x" }, function(msg) local s = table.unpack({1}) end)  -- here
