-- tries: another seed
-- verdict: raised
-- line: 6
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  math.randomseed(1)
end)
