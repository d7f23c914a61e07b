-- tries: reads a message after its callback
-- verdict: raised
-- line: 8
-- text: this msg is dead
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg) ctx.state.kept = msg end)
ctx:gauges({ name = "hostile" }, function(msg)
  local value = ctx.state.kept.value
end)
