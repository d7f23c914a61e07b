-- tries: a compound that is nested very deeply
-- verdict: raised
-- line: 10
-- text: is nested deeper
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  local root = t
  for i = 1, 1000 do t.t = {} t = t.t end
  hastur.compound("x", root)
end)
