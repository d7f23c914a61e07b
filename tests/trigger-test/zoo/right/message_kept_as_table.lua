-- A copy of a message in the state.

local ctx = hastur.trigger{ state = { last = {} } }
ctx:events({ name = "deploy" }, function(msg)
  ctx.state.last[msg.host] = msg:to_table()
  ctx.state.last[msg.host].read = true
end)
