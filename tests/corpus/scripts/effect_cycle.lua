-- tries: details that hold themselves
-- verdict: raised
-- line: 9
-- text: is nested deeper
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  t.t = t
  slack("x", { details = t })
end)
