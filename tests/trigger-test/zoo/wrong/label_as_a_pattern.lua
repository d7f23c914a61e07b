-- A label may hold what means something in a pattern.
-- caught: in a pattern
-- told: no pattern
local ctx = hastur.trigger{}
ctx:events({ name = "deploy", labels = { app = true } }, function(msg)
  if (msg.subject or ""):find(tostring(msg.labels.app)) then slack("it names itself") end  -- here
end)
