-- tries: a filter that holds itself
-- verdict: refused
-- line: 8
-- text: is nested deeper
local ctx = hastur.trigger{}
local filter = {}
filter.none_of = { filter }
ctx:gauges(filter, function() end)
