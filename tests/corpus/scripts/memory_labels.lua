-- tries: labels of one long text many times
-- verdict: raised
-- line: 9
-- text: larger than 256 KiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local labels, text = {}, ("x"):rep(30000000)
  for i = 1, 60 do labels["l" .. i] = text end
  hastur.gauge("x", 1, labels)
end)
