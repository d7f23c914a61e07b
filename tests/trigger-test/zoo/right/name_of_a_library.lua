-- A local called as something that is not there.

local ctx = hastur.trigger{}
local os, io = { time = "12:00" }, "in and out"
ctx:gauges({ name = "load" }, function(msg) print(os.time, io, msg.value) end)
