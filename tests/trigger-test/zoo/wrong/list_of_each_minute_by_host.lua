-- The line that lets it grow is not the one that makes the entry.
-- caught: grows without end
-- told: forget
local ctx = hastur.trigger{ state = { hosts = {} } }
ctx:counters({ name = "req" }, function(msg)
  local h = ctx.state.hosts[msg.host] or { n = 0, per_minute = {} }
  ctx.state.hosts[msg.host] = h
  h.n = h.n + msg.value
end)
ctx:every("minute", function()
  for host, h in pairs(ctx.state.hosts) do h.per_minute[#h.per_minute + 1] = h.n h.n = 0 end  -- here
end)
