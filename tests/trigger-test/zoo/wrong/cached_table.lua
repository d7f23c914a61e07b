-- A table of the file as a cache.
-- caught: the table 'seen' was made while the script was loaded
-- told: must be in ctx.state

local ctx = hastur.trigger{}
local seen = {}
ctx:gauges({ name = "load" }, function(msg)
  if seen[msg.host] then return end
  seen[msg.host] = true -- here
  print("new: " .. msg.host)
end)
