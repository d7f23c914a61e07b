-- Keys that look like numbers.

local ctx = hastur.trigger{ state = { ports = {} } }
ctx:counters({ name = "connections", labels = { port = { at_least = 1 } } }, function(msg)
  local port = tostring(msg.labels.port)
  ctx.state.ports[port] = (ctx.state.ports[port] or 0) + 1
end)
