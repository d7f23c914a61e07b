-- tries: require of an extension of LuaJIT
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "string.buffer"
ctx:gauges({ name = "hostile" }, function(msg) end)
