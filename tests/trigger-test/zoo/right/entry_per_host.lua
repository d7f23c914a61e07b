-- As many entries as hosts: those come to an end.

local ctx = hastur.trigger{ state = { hosts = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local host = ctx.state.hosts[msg.host] or { count = 0, first = hastur.now() }
  host.count, host.last = host.count + 1, msg.value
  ctx.state.hosts[msg.host] = host
end)
