-- A host whose agent is silent for 30 s: page, again each hour, resolve when it is back.
--
-- If more than 20 are silent at once there is one page for all. What we could not hear ourselves counts for nobody.
local ctx   = hastur.trigger{ state_bytes_max = "16MiB" }
local hosts = ctx:keyed("hosts", { forget = "1d" })
local gone  = ctx:alert("no_heartbeat", { again = "1h", burst = 20, stale = "1d" })

ctx:agent_heartbeats({}, function(msg)
  hosts:touch(msg.host)
  gone:clear(msg.host, "heartbeat is back")
end)

hosts:silent("30s", function(host)
  gone:raise(host, "no heartbeat for 30 s from " .. host)
end)
