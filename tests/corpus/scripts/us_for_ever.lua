-- tries: reads a long text as a span again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("5m"):rep(1000000)
  while true do pcall(hastur.us, text) end
end)
