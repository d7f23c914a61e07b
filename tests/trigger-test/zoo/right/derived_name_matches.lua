-- Its filter takes the name that it derives, but its own do not come to it.

local ctx = hastur.trigger{}
ctx:gauges({ name = "load.*" }, function(msg) hastur.gauge("load.smooth", msg.value / 2) end)
