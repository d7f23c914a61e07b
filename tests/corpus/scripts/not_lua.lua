-- tries: a script that is no Lua
-- verdict: refused
-- line: 6
-- text: unexpected symbol near
local ctx = hastur.trigger{}
ctx:gauges({ name = "hostile" }, function(msg) ) end)
