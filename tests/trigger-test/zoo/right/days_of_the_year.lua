-- A number for each day of the year.

local ctx = hastur.trigger{ state = { days = {}, n = 0 } }
ctx:every("day", function(tick)
  ctx.state.days[hastur.utc(tick.time, "%m-%d")] = ctx.state.n
end)
