-- A value of each tenth message, for ever.
-- caught: state.values grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { values = {}, n = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.n = ctx.state.n + 1
  if ctx.state.n % 10 == 0 then
    table.insert(ctx.state.values, msg.value) -- here
  end
end)
