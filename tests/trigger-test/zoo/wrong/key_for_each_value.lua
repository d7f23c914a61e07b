-- A histogram of values as they are: each is another.
-- caught: state.h grows without end
-- told: make keys of what comes again
local ctx = hastur.trigger{ state = { h = {} } }
ctx:gauges({ name = "latency" }, function(msg)
  local k = tostring(msg.value)
  ctx.state.h[k] = (ctx.state.h[k] or 0) + 1  -- here
end)
