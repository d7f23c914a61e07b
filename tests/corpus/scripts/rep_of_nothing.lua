-- tries: repeats nothing a billion times
-- verdict: harmless
-- state: {"n":0}
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.n = #(""):rep(1e15)
end)
