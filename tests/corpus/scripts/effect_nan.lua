-- tries: a derived gauge that is not a number
-- verdict: raised
-- line: 7
-- text: is not finite
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  hastur.gauge("x", 0 / 0)
end)
