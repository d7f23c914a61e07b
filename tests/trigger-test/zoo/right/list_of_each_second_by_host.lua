-- An hour of seconds of each host: its state is large, and written out at each second.
local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "30d", new = { n = 0, last = {} } })
ctx:counters({ name = "req" }, function(msg) local h = hosts:at(msg.host) h.n = h.n + msg.value end)
ctx:every("second", function()
  for host, h in hosts:each() do
    h.last[#h.last + 1] = h.n
    if #h.last > 3600 then table.remove(h.last, 1) end
    h.n = 0
  end
end)
