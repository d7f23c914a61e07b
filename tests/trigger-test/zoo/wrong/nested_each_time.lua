-- Each message puts the state of before into a new table.
-- caught: nested deeper than
-- told: keep flat tables

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.before = { ctx.state.before } -- here
end)
