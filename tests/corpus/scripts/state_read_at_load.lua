-- tries: reads the state while it is loaded
-- verdict: refused
-- line: 6
-- text: ctx.state has no content while the script is loaded
local ctx = hastur.trigger{ state = { n = 0 } }
local n = ctx.state.n
ctx:gauges({ name = "hostile" }, function(msg) end)
