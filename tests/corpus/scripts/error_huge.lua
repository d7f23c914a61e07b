-- tries: an error with a very long text
-- verdict: raised
-- line: 7
-- text: xxxxxxxx
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  error(("x"):rep(10000000))
end)
