-- What is put into one table each second is let go of each hour, into another.
-- caught: state.old grows without end
-- told: forget
local ctx = hastur.trigger{ state = { new = {}, old = {} } }
ctx:gauges({ name = "g" }, function(msg)
  ctx.state.new[hastur.utc(hastur.now())] = msg.value
end)
ctx:every("hour", function()
  for k, v in pairs(ctx.state.new) do
    ctx.state.old[k] = v  -- here
  end
  ctx.state.new = {}
end)
