-- tries: changes the case of a long text again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(4000000)
  while true do local made = text:upper() end
end)
