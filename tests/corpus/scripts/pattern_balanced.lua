-- tries: a balanced match from every place
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ("("):rep(100000):find("%b()")
end)
