-- A statistic that is derived from itself.
-- caught: derived 8 times over
-- told: own = true

local ctx = hastur.trigger{}
ctx:gauges({ name = "load.*", own = true }, function(msg)
  hastur.gauge("load.smooth", msg.value / 2) -- here
end)
