-- caught: attempt to call method 'find' (a nil value)
-- told: the field 'data' may be a table: check it, if type(msg.data) == "string" then
local ctx = hastur.trigger{}
ctx:logs({ subject = "app" }, function(msg)
  if msg.data and msg.data:find("fatal") then slack("fatal") end -- here
end)
