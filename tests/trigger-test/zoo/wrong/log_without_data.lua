-- A log line need not have data.
-- caught: attempt to index field 'data'
-- told: the field 'data'

local ctx = hastur.trigger{}
ctx:logs({ subject = "backup" }, function(msg)
  print(msg.data.size) -- here
end)
