-- tries: an error that names another file
-- verdict: raised
-- line: 7
-- text: innocent.lua:1: innocent
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  error("innocent.lua:1: innocent", 0)
end)
