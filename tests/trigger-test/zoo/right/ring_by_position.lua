-- A long list whose places are written again and again.

local ctx = hastur.trigger{ state = { ring = {}, n = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  local state = ctx.state
  state.ring[state.n % 10000 + 1] = msg.value
  state.n = state.n + 1
end)
