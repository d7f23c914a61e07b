-- tries: remembers in a table of the file
-- verdict: raised
-- line: 7
local ctx = hastur.trigger{}
local seen = {}
ctx:gauges({ name = "hostile" }, function(msg)
  seen[#seen + 1] = msg.value
end)
