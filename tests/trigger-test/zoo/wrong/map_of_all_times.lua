-- Every message by its time.
-- caught: state.seen grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { seen = {} } }
ctx:events({ name = "deploy" }, function(msg)
  ctx.state.seen[tostring(msg.timestamp)] = msg.host -- here
end)
