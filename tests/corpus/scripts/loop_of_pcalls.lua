-- tries: catches the verdict and goes on for ever
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  while true do
    pcall(function() while true do end end)
  end
end)
