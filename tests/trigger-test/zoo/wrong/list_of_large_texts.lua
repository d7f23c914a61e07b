-- caught: state.texts grows without end
-- told: forget what is no longer needed
local ctx = hastur.trigger{ state = { texts = {} } }
ctx:gauges({ name = "queue" }, function(msg)
  table.insert(ctx.state.texts, ("x"):rep(300)) -- here
end)
