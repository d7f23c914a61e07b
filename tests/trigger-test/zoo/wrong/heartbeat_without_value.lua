-- A heartbeat need not have a value.
-- caught: field 'value'
-- told: value

local ctx = hastur.trigger{ state = { sum = 0 } }
ctx:process_heartbeats({ name = "worker" }, function(msg)
  ctx.state.sum = ctx.state.sum + msg.value -- here
end)
