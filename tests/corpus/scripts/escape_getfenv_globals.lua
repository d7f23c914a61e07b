-- tries: the environment of the thread
-- verdict: raised
-- line: 7
-- text: attempt to
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  getfenv(0).x = 1
end)
