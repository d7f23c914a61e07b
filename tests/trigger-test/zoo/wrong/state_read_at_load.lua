-- The state, before there is one.
-- caught: ctx.state has no content while the script is loaded

local ctx = hastur.trigger{ state = { limit = 5 } }
local limit = ctx.state.limit -- here
ctx:gauges({ name = "load" }, function(msg) print(msg.value > limit) end)
