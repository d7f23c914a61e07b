-- tries: joins a long text with .. again and again, in single instructions
-- verdict: killed
-- text: of CPU in one callback
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(500000)
  for i = 1, 1e9 do local made = text .. i end
end)
