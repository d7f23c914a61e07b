-- What a heartbeat may lack, and is looked at.

local ctx = hastur.trigger{ state = { sum = 0, due = {} } }
ctx:process_heartbeats({ name = "worker" }, function(msg)
  if type(msg.value) == "number" then ctx.state.sum = ctx.state.sum + msg.value end
  ctx.state.due[msg.uuid] = hastur.now() + (tonumber(msg.timeout) or 60) * 1000000
end)
ctx:agent_heartbeats({}, function(msg) print("alive: " .. (msg.name or msg.host)) end)
