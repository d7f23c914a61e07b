-- A number for each hour that ever was.
-- caught: state.by_hour grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { by_hour = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local hour = hastur.utc(msg.timestamp, "%Y-%m-%dT%H")
  ctx.state.by_hour[hour] = (ctx.state.by_hour[hour] or 0) + 1 -- here
end)
