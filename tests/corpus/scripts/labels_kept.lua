-- tries: keeps the labels of a message
-- verdict: judgement
-- text: state.kept is msg.labels
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.kept = msg.labels
end)
