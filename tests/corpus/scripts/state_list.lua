-- tries: a state that is a list
-- verdict: judgement
-- text: state
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  for key in pairs(ctx.state) do ctx.state[key] = nil end
  ctx.state[1] = "x"
end)
