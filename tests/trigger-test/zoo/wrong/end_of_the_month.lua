-- Only at the end of a month.
-- caught: field 'totl'
-- told: 
local ctx = hastur.trigger{ state = {} }
ctx:every("day", function(tick)
  local m = hastur.utc(tick.time, "%Y-%m")
  if ctx.state.month and ctx.state.month ~= m then
    send_email("ceo@example.com", "month " .. ctx.state.month, "total " .. ctx.state.totl)  -- here
  end
  ctx.state.month = m
end)
