-- tries: remembers in a local of the file
-- verdict: refused
-- line: 8
-- text: the local 'count' of the file is changed in a function
local ctx = hastur.trigger{}
local count = 0
ctx:gauges({ name = "hostile" }, function(msg)
  count = count + 1
end)
