-- tries: takes a long text apart again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(7000)
  while true do select("#", text:byte(1, -1)) end
end)
