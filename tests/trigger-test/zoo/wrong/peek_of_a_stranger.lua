-- Not each host has registered.
-- caught: nil value
-- told: peek gives nil
local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1h" })
ctx:registrations({ type = "reg_agent" }, function(msg) hosts:at(msg.uuid).host = msg.hostname end)
ctx:gauges({ name = "load", value = { above = 10 } }, function(msg)
  pager_duty("load/" .. msg.uuid, hosts:peek(msg.uuid).host .. " is loaded")  -- here
end)
