-- A message to people while the script is loaded.
-- caught: not while the script is loaded
-- told: possible only in a callback

local ctx = hastur.trigger{}
slack("the trigger is up") -- here
ctx:gauges({ name = "load" }, function(msg) print(msg.value) end)
