-- tries: a write to its labels
-- verdict: raised
-- line: 7
-- text: a message is read-only
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  msg.labels.host = "x"
end)
