-- tries: require of a path out of the repo
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "../secret"
ctx:gauges({ name = "hostile" }, function(msg) end)
