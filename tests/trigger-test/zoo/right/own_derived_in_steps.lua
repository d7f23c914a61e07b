-- It receives what it derives, three steps deep.

local ctx = hastur.trigger{}
ctx:gauges({ name = "stage", labels = { n = { at_least = 0, below = 3 } }, own = true }, function(msg)
  hastur.gauge("stage", msg.value, { n = math.floor(msg.labels.n) + 1 })
end)
