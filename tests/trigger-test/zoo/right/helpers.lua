-- What helpers keep, they bound.

local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1h", new = { count = 0 } })
local loads = ctx:window("loads", { span = "5m" })
local mails = ctx:throttle("mails", { n = 2, per = "10m" })
local busy = ctx:alert("busy", { raise = { above = 50 }, clear = { below = 20 } })
ctx:gauges({ name = "load" }, function(msg)
  hosts:at(msg.host).count = hosts:at(msg.host).count + 1
  loads:add(msg.host, msg.value)
  busy:set(msg.host, loads:mean(msg.host) or 0, msg.host .. " is busy")
  if mails:allow(msg.host) then send_email("ops@example.com", "load", tostring(msg.value)) end
end)
hosts:silent("5m", function(host) print(host .. " is silent") end)
