-- After years there are many, but no trigger is out of service for years.
local ctx = hastur.trigger{ state = { last = "" } }
ctx:every("day", function(tick)
  for d = tick.missed, 0, -1 do
    ctx.state.last = hastur.utc(tick.time - d * 86400e6, "%F")
    send_email("ops@example.com", "report of " .. ctx.state.last)
  end
end)
