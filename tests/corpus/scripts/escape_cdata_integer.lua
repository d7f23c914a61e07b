-- tries: a number that is cdata
-- verdict: refused
-- line: 6
-- text: numbers like 1LL or 1i are not allowed
local ctx = hastur.trigger{}
local n = 1LL
ctx:gauges({ name = "hostile" }, function(msg) end)
