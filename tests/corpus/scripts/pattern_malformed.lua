-- tries: a pattern that ends in its middle
-- verdict: raised
-- line: 7
-- text: missing ']' in a pattern
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ("a"):find("[a-")
end)
