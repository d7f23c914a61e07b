-- tries: require of another trigger
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "innocent"
ctx:gauges({ name = "hostile" }, function(msg) end)
