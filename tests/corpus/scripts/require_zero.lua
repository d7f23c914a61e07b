-- tries: require of a path with a zero byte
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "lib.x\0.y"
ctx:gauges({ name = "hostile" }, function(msg) end)
