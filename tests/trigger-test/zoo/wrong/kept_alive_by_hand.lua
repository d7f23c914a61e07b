-- Hosts go after ten seconds of silence, and each minute there is a message.
-- caught: grows without end
-- told: forget
local ctx = hastur.trigger{ state = { by = {} } }
ctx:gauges({ name = "q" }, function(msg)
  local e = ctx.state.by[msg.host] or { values = {}, seen = 0 }
  ctx.state.by[msg.host] = e
  e.values[#e.values + 1] = msg.value  -- here
  e.seen = hastur.now()
end)
ctx:every("second", function(tick)
  for host, e in pairs(ctx.state.by) do
    if tick.time - e.seen > hastur.us("10s") then ctx.state.by[host] = nil end
  end
end)
