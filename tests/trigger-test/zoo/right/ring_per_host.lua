-- A long list with an end for each host.

local ctx = hastur.trigger{ state = { hosts = {} }, state_bytes_max = "16MiB" }
ctx:gauges({ name = "load" }, function(msg)
  local host = ctx.state.hosts[msg.uuid] or { last = {} }
  ctx.state.hosts[msg.uuid] = host
  table.insert(host.last, msg.value)
  if #host.last > 10000 then table.remove(host.last, 1) end
end)
