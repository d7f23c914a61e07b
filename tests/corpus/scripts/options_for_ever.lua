-- tries: gives ever so many options again and again
-- verdict: instructions
-- line: 9
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local options = {}
  for i = 1, 100000 do options[i] = 1 end
  while true do pcall(slack, "x", options) end
end)
