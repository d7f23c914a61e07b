-- tries: replaces a global function
-- verdict: refused
-- line: 6
-- text: the global 'print' cannot be assigned
local ctx = hastur.trigger{}
function print() end
ctx:gauges({ name = "hostile" }, function(msg) end)
