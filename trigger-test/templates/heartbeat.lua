-- A host whose agent is silent for 30 s: page, again each hour, resolve when it is back.
--
-- If more than 20 are silent at once there is one page for all. What we could not hear ourselves counts for nobody.
local ctx   = hastur.trigger{ state_bytes_max = "16MiB" }
local hosts = ctx:keyed("hosts", { forget = "1d" })
local gone  = ctx:alert("no_heartbeat", { again = "1h", burst = 20, stale = "1d" })

ctx:agent_heartbeats({}, function(msg)
  hosts:at(msg.uuid).name = msg.host -- a host has its name only when it has registered
  gone:clear(msg.uuid, "heartbeat is back")
end)

hosts:silent("30s", function(uuid, host)
  gone:raise(uuid, "no heartbeat for 30 s from " .. host.name)
end)
