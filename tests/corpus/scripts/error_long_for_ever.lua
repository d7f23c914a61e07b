-- tries: raises a long text again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(8000000)
  while true do pcall(error, text) end
end)
