-- tries: a method of a message on a table
-- verdict: raised
-- line: 7
-- text: call it as msg:to_table(), with a colon
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = msg.to_table({})
end)
