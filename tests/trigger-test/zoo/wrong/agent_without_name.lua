-- An agent's heartbeat need not have a name.
-- caught: field 'name'
-- told: the field 'name'

local ctx = hastur.trigger{}
ctx:agent_heartbeats({}, function(msg)
  print("alive: " .. msg.name) -- here
end)
