-- tries: a trigger in a callback
-- verdict: raised
-- line: 7
-- text: hastur.trigger is possible only while the script is loaded
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  hastur.trigger{}
end)
