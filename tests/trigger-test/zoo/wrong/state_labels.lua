-- The labels of a msg that are kept beyond its call.
-- caught: is msg.labels
-- told: keep the labels that you need

local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load", labels = { app = true } }, function(msg)
  ctx.state.labels = msg.labels -- here
end)
