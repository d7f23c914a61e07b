-- tries: reorders a table of the file
-- verdict: raised
-- line: 7
local ctx = hastur.trigger{}
local list = { 3, 1, 2 }
ctx:gauges({ name = "hostile" }, function(msg)
  table.sort(list)
end)
