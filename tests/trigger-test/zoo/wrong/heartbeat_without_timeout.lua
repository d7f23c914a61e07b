-- A heartbeat need not say how long it holds.
-- caught: field 'timeout'
-- told: the field 'timeout'

local ctx = hastur.trigger{ state = { due = {} } }
ctx:process_heartbeats({ name = "worker" }, function(msg)
  ctx.state.due[msg.uuid] = hastur.now() + msg.timeout * 1000000 -- here
end)
