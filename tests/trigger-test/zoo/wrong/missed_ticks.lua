-- What is done after missed ticks was never tried.
-- caught: attempt to perform arithmetic on field 'behind' (a nil value)

local ctx = hastur.trigger{}
ctx:every("minute", function(tick)
  if tick.missed > 2 and tick.deaf == 0 then
    ctx.state.behind = ctx.state.behind + tick.missed -- here
  end
end)
