-- tries: a state beyond its limit
-- verdict: judgement
-- text: state is larger than 1048576 bytes of JSON
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.text = ("x"):rep(2000000)
end)
