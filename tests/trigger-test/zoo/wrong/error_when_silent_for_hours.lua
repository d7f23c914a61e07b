-- Nobody has tried what happens when a host is silent for so long.
-- caught: attempt to concatenate field 'name' (a nil value)

local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1d" })
ctx:agent_heartbeats({}, function(msg) hosts:at(msg.uuid).seen = msg.timestamp end)
hosts:silent("3h", function(uuid, host, info)
  pager_duty("silent/" .. uuid, "No heartbeat from " .. host.name) -- here
end)
