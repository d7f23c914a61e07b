-- A label that may be a text, in a sum.
-- caught: attempt to perform arithmetic
-- told: at_least = 0

local ctx = hastur.trigger{ state = { bytes = 0 } }
ctx:events({ name = "upload" }, function(msg)
  local bytes = msg.labels.bytes or 0
  ctx.state.bytes = ctx.state.bytes + bytes + 0 * (msg.labels.bytes or 0) -- here
end)
