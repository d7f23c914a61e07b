-- tries: sorts long texts that differ at their end
-- verdict: instructions
-- line: 10
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local list = {}
  for i = 1, 30 do list[i] = ("x"):rep(1000000) .. (i * 7 % 31) end
  while true do
    table.sort(list)
  end
end)
