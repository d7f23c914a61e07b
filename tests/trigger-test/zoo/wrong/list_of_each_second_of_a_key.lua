-- A value for each second: the state is large and written out at each.
-- caught: grows without end
-- told: keep sums
local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "7d", new = { n = 0, per_minute = {} } })
ctx:counters({ name = "req" }, function(msg) local h = hosts:at(msg.host) h.n = h.n + msg.value end)
ctx:every("second", function()
  for host, h in hosts:each() do h.per_minute[#h.per_minute + 1] = h.n h.n = 0 end  -- here
end)
