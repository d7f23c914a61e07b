-- tries: nan and inf out of texts
-- verdict: harmless
-- state: {"n":1}
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.n = tonumber("nan") == nil and tonumber("inf") == nil and 1 or 0
end)
