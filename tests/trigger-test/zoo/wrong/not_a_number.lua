-- The mean of nothing.
-- caught: state.mean is not a number (nan)
-- told: look at the divisor

local ctx = hastur.trigger{ state = { sum = 0, count = 0 } }
ctx:gauges({ name = "answer.seconds" }, function(msg)
  if msg.value > 0.5 then
    ctx.state.sum, ctx.state.count = ctx.state.sum + msg.value, ctx.state.count + 1
  end
  ctx.state.mean = ctx.state.sum / ctx.state.count -- here
end)
