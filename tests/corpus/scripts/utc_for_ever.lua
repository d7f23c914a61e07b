-- tries: writes a long time again and again
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local form = ("%A"):rep(100000)
  while true do local text = hastur.utc(hastur.now(), form) end
end)
