-- caught: state.by
-- told: use strings as keys
local ctx = hastur.trigger{ state = { by = {} } }
ctx:counters({ name = "requests", labels = { shard = true } }, function(msg)
  ctx.state.by[msg.labels.shard] = (ctx.state.by[msg.labels.shard] or 0) + 1 -- here
end)
