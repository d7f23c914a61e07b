-- tries: a label that is infinite
-- verdict: raised
-- line: 7
-- text: is not finite
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  hastur.gauge("x", 1, { l = math.huge })
end)
