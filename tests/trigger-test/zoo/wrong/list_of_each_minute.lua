-- A sum of each minute, for ever.
-- caught: state.sums grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { sums = {}, n = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.n = ctx.state.n + 1
end)
ctx:every("minute", function(tick)
  table.insert(ctx.state.sums, ctx.state.n) -- here
  ctx.state.n = 0
end)
