-- A table by a label that need not be there.
-- caught: index is nil
-- told: labels = { app = true }

local ctx = hastur.trigger{ state = { apps = {} } }
ctx:counters({ name = "requests" }, function(msg)
  ctx.state.apps[msg.labels.app] = hastur.now() -- here
end)
