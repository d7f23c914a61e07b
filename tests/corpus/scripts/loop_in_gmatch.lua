-- tries: an iterator that never ends
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  while true do for word in ("a b c"):gmatch("%a") do end end
end)
