-- tries: remembers in a table of the file by table.insert
-- verdict: raised
-- line: 7
local ctx = hastur.trigger{}
local seen = {}
ctx:gauges({ name = "hostile" }, function(msg)
  table.insert(seen, msg.value)
end)
