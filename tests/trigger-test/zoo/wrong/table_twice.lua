-- One table in two places of the state: after a restart they are two.
-- caught: stands elsewhere in the state
-- told: keep a copy

local ctx = hastur.trigger{ state = { all = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local host = { load = msg.value }
  ctx.state.all[msg.host] = host
  ctx.state.newest = host -- here
end)
