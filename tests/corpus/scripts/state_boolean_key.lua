-- tries: a boolean as a key
-- verdict: judgement
-- text: state.t has a boolean as a key
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.t = { [true] = 1 }
end)
