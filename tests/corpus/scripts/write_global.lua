-- tries: writes a global
-- verdict: refused
-- line: 7
-- text: the global 'count' cannot be assigned
local ctx = hastur.trigger{}
ctx:gauges({ name = "hostile" }, function(msg)
  count = (count or 0) + 1
end)
