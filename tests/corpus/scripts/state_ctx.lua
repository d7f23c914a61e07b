-- tries: ctx in the state
-- verdict: judgement
-- text: state.x is an object of the runtime
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.x = ctx
end)
