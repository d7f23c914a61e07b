-- tries: require of an absolute path
-- verdict: refused
-- line: 6
-- text: there is no library
local ctx = hastur.trigger{}
local library = require "/etc/passwd"
ctx:gauges({ name = "hostile" }, function(msg) end)
