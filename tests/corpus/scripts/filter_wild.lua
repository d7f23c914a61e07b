-- tries: a filter with a function in it
-- verdict: refused
-- line: 6
-- text: the filter.name is a function
local ctx = hastur.trigger{}
ctx:gauges({ name = function() return true end }, function() end)
