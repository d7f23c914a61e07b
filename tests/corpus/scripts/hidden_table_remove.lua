-- tries: forgets from a table of the file
-- verdict: raised
-- line: 7
local ctx = hastur.trigger{}
local left = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }
ctx:gauges({ name = "hostile" }, function(msg)
  table.remove(left)
end)
