-- tries: require of a path out of lib/
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "lib..../secret"
ctx:gauges({ name = "hostile" }, function(msg) end)
