-- A gauge may be below zero.
-- caught: state.root is not a number (nan)

local ctx = hastur.trigger{ state = { root = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.root = math.sqrt(msg.value) -- here
end)
