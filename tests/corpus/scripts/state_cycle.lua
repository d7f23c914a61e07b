-- tries: a state that holds itself
-- verdict: judgement
-- text: state.me is a table that stands elsewhere in the state, too
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.me = ctx.state
end)
