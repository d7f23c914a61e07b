-- tries: effects before an error
-- verdict: raised
-- line: 11
-- text: too late
-- state: {"n":0}
-- effects: 0
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  pager_duty("k", "text")
  ctx.state.n = 7
  error("too late")
end)
