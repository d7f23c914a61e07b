-- A message may be an hour on its way.
-- caught: it is too late

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  if hastur.now() - msg.timestamp > 3000000000 then error("it is too late") end -- here
end)
