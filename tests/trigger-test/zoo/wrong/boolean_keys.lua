-- A table by truth.
-- caught: as a key: only strings can be
-- told: tostring(key)

local ctx = hastur.trigger{ state = { seen = {} } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.seen[msg.value > 5] = msg.host -- here
end)
