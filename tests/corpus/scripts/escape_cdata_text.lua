-- tries: cdata out of a text
-- verdict: harmless
-- state: {"n":1}
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.n = tonumber("1LL") == nil and tonumber("2i") == nil and 1 or 0
end)
