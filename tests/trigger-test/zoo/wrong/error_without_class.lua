-- An error that has no class.
-- caught: attempt to
-- told: msg.class

local ctx = hastur.trigger{}
ctx:errors({}, function(msg)
  if msg.class:find("Timeout") then slack("a timeout") end -- here
end)
