-- tries: the environment of a native function
-- verdict: raised
-- line: 7
-- text: attempt to
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  getfenv(print).x = 1
end)
