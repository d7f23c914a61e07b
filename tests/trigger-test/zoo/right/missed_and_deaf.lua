-- What it could not hear, and what it did not run, are counted.

local ctx = hastur.trigger{ state = { deaf = 0, missed = 0 } }
ctx:every("minute", function(tick)
  ctx.state.deaf = ctx.state.deaf + tick.deaf
  ctx.state.missed = ctx.state.missed + tick.missed
  for i = 1, math.min(tick.missed, 100) do hastur.counter("minutes.missed") end
end)
