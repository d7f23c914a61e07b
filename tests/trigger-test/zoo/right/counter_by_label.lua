-- A number for each zone. A zone that is null would be no key, but no sender sends that.

local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load" }, function(msg)
  local zone = msg.labels.zone
  if type(zone) == "number" or type(zone) == "boolean" then zone = tostring(zone) end
  if zone then ctx.state[zone] = (ctx.state[zone] or 0) + 1 end
end)
