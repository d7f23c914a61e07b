-- tries: orders long keys again and again
-- verdict: instructions
-- line: 9
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  for i = 1, 30 do t[("x"):rep(1000000) .. i] = i end
  while true do pairs(t) end
end)
