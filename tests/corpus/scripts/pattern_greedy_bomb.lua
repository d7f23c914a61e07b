-- tries: greedy wildcards that back up
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ("a"):rep(60):find(("a*"):rep(30) .. "b")
end)
