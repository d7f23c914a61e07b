-- tries: require of another extension
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "table.new"
ctx:gauges({ name = "hostile" }, function(msg) end)
