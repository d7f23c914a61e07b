-- The keys are forgotten, but what is in them grows.
-- caught: state["@keyed.hosts"] grows without end
-- told: keep sums instead of lists

local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { max = 1000 })
ctx:gauges({ name = "load" }, function(msg)
  local host = hosts:at(msg.host)
  host[#host + 1] = msg.value -- here
end)
