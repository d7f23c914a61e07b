-- tries: a write past metamethods
-- verdict: raised
-- line: 7
-- text: attempt to
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  rawset(hastur, "now", 1)
end)
