-- tries: bytes that are no text in the state
-- verdict: judgement
-- text: state.x is a string that is not UTF-8
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.x = "\255\254"
end)
