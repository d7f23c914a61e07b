-- tries: sorts a long list for ever
-- verdict: instructions
-- line: 9
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local list = {}
  for i = 1, 20000 do list[i] = -i end
  while true do table.sort(list) end
end)
