-- Every value, for ever.
-- caught: state.values grows without end
-- told: keep sums instead of lists

local ctx = hastur.trigger{ state = { values = {} } }
ctx:gauges({ name = "load" }, function(msg)
  table.insert(ctx.state.values, msg.value) -- here
end)
