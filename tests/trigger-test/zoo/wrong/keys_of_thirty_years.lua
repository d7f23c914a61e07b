-- A number for each day that ever was, of messages.
-- caught: state.days grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { days = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local day = hastur.utc(hastur.now(), "%Y-%m-%d")
  ctx.state.days[day] = (ctx.state.days[day] or 0) + 1 -- here
end)
