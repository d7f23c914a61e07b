-- Sums of tenths, whose last bits a restart must keep.

local ctx = hastur.trigger{ state = { sum = 0, least = -0.0 } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.sum = ctx.state.sum + msg.value / 10 + 0.1
  ctx.state.least = math.min(ctx.state.least, -msg.value / 3)
  if ctx.state.sum % 1 > 0.5 then hastur.gauge("load.tenths", ctx.state.sum) end
end)
