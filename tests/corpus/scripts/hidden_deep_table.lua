-- tries: remembers deep in a table of the file
-- verdict: raised
-- line: 7
local ctx = hastur.trigger{}
local config = { limits = { { seen = 0 } } }
ctx:gauges({ name = "hostile" }, function(msg)
  config.limits[1].seen = config.limits[1].seen + 1
end)
