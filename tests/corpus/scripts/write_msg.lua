-- tries: a write to the message
-- verdict: raised
-- line: 7
-- text: a message is read-only
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  msg.value = 1
end)
