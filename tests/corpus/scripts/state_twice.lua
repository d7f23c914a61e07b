-- tries: one table at two places
-- verdict: judgement
-- text: is a table that stands elsewhere in the state, too
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  ctx.state.a, ctx.state.b = t, t
end)
