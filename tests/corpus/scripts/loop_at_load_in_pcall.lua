-- tries: an endless loop in pcall while it is loaded
-- verdict: refused
-- line: 6
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{}
pcall(function() while true do end end)
ctx:gauges({ name = "hostile" }, function(msg) end)
