-- tries: a list with holes
-- verdict: judgement
-- text: state.t is a list with holes
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.t = { [1] = 1, [1000000] = 2 }
end)
