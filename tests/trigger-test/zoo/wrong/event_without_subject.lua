-- The subject of an event need not be there.
-- caught: attempt to index field 'subject'
-- told: the field 'subject'

local ctx = hastur.trigger{}
ctx:events({ name = "deploy" }, function(msg)
  print(msg.subject:upper()) -- here
end)
