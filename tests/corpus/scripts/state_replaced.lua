-- tries: another table as the state
-- verdict: raised
-- line: 7
-- text: ctx.state cannot be written
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state = {}
end)
