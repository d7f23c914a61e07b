-- A table by number that is no list.
-- caught: state.ports
-- told: use strings as keys

local ctx = hastur.trigger{ state = { ports = {} } }
ctx:counters({ name = "connections", labels = { port = { above = 1024 } } }, function(msg)
  ctx.state.ports[msg.labels.port] = hastur.now() -- here
end)
