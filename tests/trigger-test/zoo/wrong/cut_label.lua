-- caught: is a key that is not UTF-8
-- told: keep no cut-off
local ctx = hastur.trigger{ state = { last = {} } }
ctx:gauges({ name = "x", labels = { app = true } }, function(msg)
  ctx.state.last[tostring(msg.labels.app):sub(1, 8)] = msg.value -- here
end)
