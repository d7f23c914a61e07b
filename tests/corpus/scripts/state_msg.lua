-- tries: a message in the state
-- verdict: judgement
-- text: state.last is a msg: use msg:to_table()
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.last = msg
end)
