-- A registration has the host name that it registers.
-- caught: attempt to concatenate field 'nodename'
-- told: need not have the field 'nodename'
local ctx = hastur.trigger{}
ctx:registrations({ type = "reg_agent", hostname = "web*" }, function(msg)
  slack("new host " .. msg.nodename) -- here
end)
