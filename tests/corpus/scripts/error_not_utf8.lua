-- tries: an error that is no text
-- verdict: raised
-- line: 6
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  error("\255\0\254")
end)
