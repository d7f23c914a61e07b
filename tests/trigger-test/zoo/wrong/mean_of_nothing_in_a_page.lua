-- A page with a mean of nothing in it.
-- caught: not a number

local ctx = hastur.trigger{ state = { sum = 0, count = 0 } }
ctx:gauges({ name = "load", value = { above = 0 } }, function(msg)
  ctx.state.sum, ctx.state.count = ctx.state.sum + msg.value, ctx.state.count + 1
end)
ctx:every("10s", function()
  pager_duty("load", "mean load", { mean = ctx.state.sum / ctx.state.count }) -- here
  ctx.state.sum, ctx.state.count = 0, 0
end)
