-- Senders write null for a body that they were not given.
-- caught: attempt to index field 'body'
-- told: the field 'body' may be null

local ctx = hastur.trigger{}
ctx:events({ name = "deploy" }, function(msg)
  if msg.body then print(msg.body:sub(1, 20)) end -- here
end)
