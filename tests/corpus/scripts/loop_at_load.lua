-- tries: an endless loop while it is loaded
-- verdict: refused
-- line: 6
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{}
while true do end
ctx:gauges({ name = "hostile" }, function(msg) end)
