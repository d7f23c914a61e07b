-- tries: what is not a number in the state
-- verdict: judgement
-- text: state.x is not a number (nan)
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.x = 0 / 0
end)
