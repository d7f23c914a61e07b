-- tries: names options by long texts again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local options = { [("x"):rep(3000000)] = 1 }
  while true do pcall(slack, "x", options) end
end)
