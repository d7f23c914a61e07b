-- A rate over no time.
-- caught: is infinite
-- told: look at the divisor

local ctx = hastur.trigger{ state = { since = 0 } }
ctx:counters({ name = "bytes" }, function(msg)
  ctx.state.rate = (msg.value or 1) / (hastur.now() - ctx.state.since) -- here
  ctx.state.since = hastur.now()
end)
