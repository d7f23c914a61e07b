-- tries: an imaginary number
-- verdict: refused
-- line: 7
-- text: numbers like 1LL or 1i are not allowed
local ctx = hastur.trigger{}
ctx:gauges({ name = "hostile" }, function(msg)
  return 2i
end)
