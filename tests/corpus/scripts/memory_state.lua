-- tries: a state beyond the memory
-- verdict: memory
-- line: 6
-- text: out of memory: a trigger may use 64MiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  for i = 1, 1e9 do ctx.state["k" .. i] = ("x"):rep(10000) .. i end
end)
