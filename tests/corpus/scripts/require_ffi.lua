-- tries: require of a library of LuaJIT
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "ffi"
ctx:gauges({ name = "hostile" }, function(msg) end)
