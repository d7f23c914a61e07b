-- tries: another hastur.now
-- verdict: raised
-- line: 7
-- text: hastur cannot be changed
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  hastur.now = print
end)
