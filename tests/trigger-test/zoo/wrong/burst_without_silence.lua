-- What is collected until a minute of quiet.
-- caught: grows without end
-- told: forget
local ctx = hastur.trigger{ state = { burst = {}, last = 0 } }
ctx:errors({}, function(msg)
  table.insert(ctx.state.burst, msg.host .. " " .. tostring(msg.class))  -- here
  ctx.state.last = hastur.now()
end)
ctx:every("10s", function(tick)
  if #ctx.state.burst > 0 and tick.time - ctx.state.last > hastur.us("1m") then
    slack(#ctx.state.burst .. " errors")
    ctx.state.burst = {}
  end
end)
