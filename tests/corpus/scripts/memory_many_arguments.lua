-- tries: unpacks more than fits on the stack
-- verdict: raised
-- line: 9
-- text: too many results to unpack
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  for i = 1, 100000 do t[i] = i end
  return select("#", unpack(t))
end)
