-- A table whose keys come again and again.

local ctx = hastur.trigger{ state = { ring = {}, n = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  local state = ctx.state
  state.ring[tostring(state.n % 5000)] = msg.value
  state.n = state.n + 1
end)
