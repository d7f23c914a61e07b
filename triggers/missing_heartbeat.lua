-- No heartbeat from a host for 10 s: page, again each hour, clear on return; one page if the whole site goes.
local ctx   = hastur.trigger{ state_bytes_max = "128MiB" }
local hosts = ctx:keyed("hosts", { forget = "1d" })
local gone  = ctx:alert("no_heartbeat", { again = "1h", burst = 20, stale = "1d" })
ctx:agent_heartbeats({}, function(msg) hosts:touch(msg.uuid) gone:clear(msg.uuid, "heartbeat is back") end)
hosts:silent("10s", function(uuid) gone:raise(uuid, "no heartbeat for 10 s from " .. uuid) end)
