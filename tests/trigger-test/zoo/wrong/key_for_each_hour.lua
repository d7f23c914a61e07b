-- A key for each hour that ever was, at the top of the state.
-- caught: state grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{}
ctx:every("hour", function(tick)
  ctx.state[hastur.utc(tick.time, "h%Y%m%d%H")] = 1 -- here
end)
