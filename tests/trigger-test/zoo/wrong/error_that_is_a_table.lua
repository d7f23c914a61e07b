-- caught: attempt to concatenate a table value
-- told: the field 'error' may be a table
local ctx = hastur.trigger{}
ctx:errors({}, function(msg)
  slack("it failed: " .. (msg.error or "none")) -- here
end)
