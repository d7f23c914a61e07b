-- The date of the machine in a text.
-- caught: os.date does not exist here
-- told: hastur.utc

local ctx = hastur.trigger{}
ctx:events({ name = "deploy" }, function(msg)
  slack("deployed at " .. os.date("%H:%M")) -- here
end)
