-- A number for each day that ever was, by ticks alone.
-- caught: state.days grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { days = {}, n = 0 } }
ctx:every("day", function(tick)
  ctx.state.days[hastur.utc(tick.time, "%Y-%m-%d")] = ctx.state.n -- here
end)
