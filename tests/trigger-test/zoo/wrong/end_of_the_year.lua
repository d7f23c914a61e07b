-- Only at the end of a year.
-- caught: field 'yaer'
-- told: 
local ctx = hastur.trigger{ state = {} }
ctx:every("day", function(tick)
  local y = hastur.utc(tick.time, "%Y")
  if ctx.state.year and ctx.state.year ~= y then slack("a new year after " .. ctx.state.yaer) end  -- here
  ctx.state.year = y
end)
