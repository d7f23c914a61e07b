-- A key for each time, and an end of them.

local ctx = hastur.trigger{}
local lately = ctx:keyed("lately", { max = 100000 })
local today = ctx:keyed("today", { forget = "1d" })
local rates = ctx:window("rates", { span = "5m" })
local mails = ctx:throttle("mails", { n = 1, per = "1h" })
ctx:gauges({ name = "load" }, function(msg)
  lately:touch(msg.timestamp)
  today:touch(msg.timestamp)
  rates:add(msg.timestamp, msg.value)
  if mails:allow(msg.timestamp) then hastur.gauge("load.seen", 1) end
end)
