-- tries: a native function that is called last
-- verdict: raised
-- text: os.time does not exist here
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  return os.time()
end)
