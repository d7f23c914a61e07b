-- A number for each minute of the day.

local ctx = hastur.trigger{ state = { by_hour = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local hour = hastur.utc(msg.timestamp, "%H:%M")
  ctx.state.by_hour[hour] = (ctx.state.by_hour[hour] or 0) + 1
end)
