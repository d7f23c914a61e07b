-- tries: an endless comparison
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  table.sort({ 3, 2, 1 }, function(a, b) while true do end end)
end)
