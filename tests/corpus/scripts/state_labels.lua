-- tries: the labels of a message in the state
-- verdict: judgement
-- text: state.last is msg.labels
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.last = msg.labels
end)
