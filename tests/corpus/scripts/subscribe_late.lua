-- tries: a subscription in a callback
-- verdict: raised
-- line: 7
-- text: is possible only while the script is loaded
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx:gauges({}, function() end)
end)
