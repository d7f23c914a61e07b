-- tries: the table of globals
-- verdict: raised
-- line: 7
-- text: attempt to
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  _G.x = 1
end)
