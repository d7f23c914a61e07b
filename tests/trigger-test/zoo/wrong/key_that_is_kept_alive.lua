-- A key that goes after a day of silence never goes: its sender is never silent.
-- caught: grows without end
-- told: keep sums instead of lists
local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1d" })
ctx:gauges({ name = "load" }, function(msg)
  local host = hosts:at(msg.host)
  host[#host + 1] = msg.value  -- here
end)
