-- tries: more captures than there may be
-- verdict: raised
-- line: 7
-- text: too many captures in a pattern
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ("a"):rep(100):find(("(a)"):rep(100))
end)
