-- tries: the time of the machine
-- verdict: raised
-- line: 7
-- text: os.time does not exist here
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local now = os.time()
end)
