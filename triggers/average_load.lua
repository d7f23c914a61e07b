-- The average of system.load.1m over all hosts, each minute, as a statistic of its own.
--
-- First each host's own average, then theirs, so that a chatty host weighs no more than a quiet one. A dead host has
-- nothing in the window and drops out: it is not counted as a load of zero, nor with its last value for ever.
local ctx  = hastur.trigger{ state_bytes_max = "16MiB" } -- a host takes 300 bytes
local load = ctx:window("load", { span = "1m" })

ctx:gauges({ name = "system.load.1m" }, function(msg) load:add(msg.host, msg.value) end)

ctx:every("minute", function()
  local total, hosts = 0, 0
  for _, w in load:each() do total, hosts = total + w.mean, hosts + 1 end
  if hosts > 0 then hastur.gauge("cluster.load.average", total / hosts, { hosts = hosts }) end
end)
