-- tries: a pattern of very many wildcards
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ("a"):rep(40):match((".-"):rep(40) .. "b")
end)
