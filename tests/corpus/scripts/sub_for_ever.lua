-- tries: cuts a long text again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(1000000)
  for i = 1, 1e9 do local part = text:sub(i % 100) end
end)
