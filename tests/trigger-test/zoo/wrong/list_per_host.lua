-- A list for each host that nobody cuts.
-- caught: grows without end
-- told: keep sums instead of lists

local ctx = hastur.trigger{ state = { hosts = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local list = ctx.state.hosts[msg.uuid] or {}
  list[#list + 1] = msg.value
  ctx.state.hosts[msg.uuid] = list -- here
end)
