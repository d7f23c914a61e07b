-- tries: a pattern that recurses deeply
-- verdict: raised
-- line: 7
-- text: the pattern is too complex
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ("a"):rep(1000):match(("a?"):rep(1000))
end)
