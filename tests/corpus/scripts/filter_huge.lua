-- tries: a filter of very many names
-- verdict: refused
-- line: 8
-- text: larger than 65536 bytes
local ctx = hastur.trigger{}
local names = {}
for i = 1, 20000 do names[i] = "name" .. i end
ctx:gauges({ name = names }, function() end)
