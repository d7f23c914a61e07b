-- tries: runs out of memory while it is loaded
-- verdict: refused
-- text: out of memory: a trigger may use 64MiB
local ctx = hastur.trigger{}
local t = {}
for i = 1, 1e9 do t[i] = ("x"):rep(10000) .. i end
ctx:gauges({ name = "hostile" }, function(msg) end)
