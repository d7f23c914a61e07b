-- A number for each minute of the week.

local ctx = hastur.trigger{ state = { minutes = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local minute = hastur.utc(hastur.now(), "%a %H:%M")
  ctx.state.minutes[minute] = (ctx.state.minutes[minute] or 0) + 1
end)
