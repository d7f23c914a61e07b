-- A function in the state.
-- caught: is a function
-- told: functions in locals of the file

local ctx = hastur.trigger{ state = { servers = {} } }
ctx:registrations({ type = "reg_agent" }, function(msg)
  ctx.state.servers[msg.uuid] = {
    name = msg.hostname,
    on_silence = function() print("silent") end, -- here
  }
end)
