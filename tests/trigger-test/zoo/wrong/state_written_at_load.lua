-- A first value of the state, in the wrong place.
-- caught: ctx.state has no content while the script is loaded

local ctx = hastur.trigger{}
ctx.state.count = 0 -- here
ctx:gauges({ name = "load" }, function(msg) ctx.state.count = ctx.state.count + 1 end)
