-- The host name of a sender that never registered.
-- caught: attempt to concatenate field 'hostname'
-- told: use msg.host

local ctx = hastur.trigger{}
ctx:agent_heartbeats({}, function(msg)
  print("alive: " .. msg.hostname) -- here
end)
