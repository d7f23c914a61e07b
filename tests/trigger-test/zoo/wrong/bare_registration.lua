-- A registration need not say anything.
-- caught: field 'nodename'
-- told: the field 'nodename'

local ctx = hastur.trigger{}
ctx:registrations({}, function(msg)
  print("new: " .. msg.nodename) -- here
end)
