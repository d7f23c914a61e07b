-- A global.
-- caught: the global 'total' cannot be assigned
-- told: keep it in ctx.state

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  total = (total or 0) + 1 -- here
end)
