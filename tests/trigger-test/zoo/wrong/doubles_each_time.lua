-- caught: state.backoff is infinite
-- told: bound what is added or multiplied again and again
local ctx = hastur.trigger{ state = { backoff = 1 } }
ctx:gauges({ name = "queue" }, function(msg)
  ctx.state.backoff = ctx.state.backoff * 2 -- here
end)
