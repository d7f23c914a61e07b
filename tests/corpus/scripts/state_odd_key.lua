-- tries: a list that begins at zero
-- verdict: judgement
-- text: state.t has the key 0
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.t = { [0] = 1 }
end)
