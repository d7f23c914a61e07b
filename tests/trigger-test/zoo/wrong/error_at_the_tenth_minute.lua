-- A mean of what came in ten minutes, in which nothing may have come.
-- caught: attempt to perform arithmetic on field 'last' (a nil value)

local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.last, ctx.state.n = msg.value, ctx.state.n + 1
end)
ctx:every("10m", function(tick)
  hastur.gauge("load.last", ctx.state.last / 2) -- here
  ctx.state.last = nil
end)
