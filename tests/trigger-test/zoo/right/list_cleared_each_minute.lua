-- A list that ticks empty.

local ctx = hastur.trigger{ state = { values = {} } }
ctx:gauges({ name = "load" }, function(msg) table.insert(ctx.state.values, msg.value) end)
ctx:every("minute", function()
  table.sort(ctx.state.values)
  if #ctx.state.values > 0 then hastur.gauge("load.median", ctx.state.values[math.ceil(#ctx.state.values / 2)]) end
  ctx.state.values = {}
end)
