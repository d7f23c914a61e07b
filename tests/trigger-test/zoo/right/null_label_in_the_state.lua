-- A label as it came, which may be null: that is JSON.

local ctx = hastur.trigger{ state = { zones = {} } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.zone = msg.labels.zone
  ctx.state.zones[msg.host] = { msg.labels.zone or hastur.null, msg.value }
end)
