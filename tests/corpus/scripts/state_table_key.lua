-- tries: a table as a key
-- verdict: judgement
-- text: state.t has a table as a key
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.t = { [{}] = 1 }
end)
