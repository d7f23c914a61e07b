-- tries: formats long texts again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(1000000)
  while true do local made = ("%s"):format(text) end
end)
