-- tries: a state that is nested very deeply
-- verdict: judgement
-- text: is nested deeper than
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  ctx.state.t = t
  for i = 1, 10000 do t.t = {} t = t.t end
end)
