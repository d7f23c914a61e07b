-- tries: infinity in the state
-- verdict: judgement
-- text: state.x is infinite
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.x = math.huge
end)
