-- tries: reads a very long number again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("1"):rep(4000000)
  while true do tonumber(text) end
end)
