-- tries: unpacks a long list again and again
-- verdict: instructions
-- line: 9
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local list = {}
  for i = 1, 7000 do list[i] = i end
  while true do select("#", unpack(list)) end
end)
