-- tries: another string.format
-- verdict: raised
-- line: 7
-- text: string cannot be changed
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  string.format = print
end)
