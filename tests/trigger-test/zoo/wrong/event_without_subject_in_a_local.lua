-- The same, under another name.
-- caught: attempt to index local 's'
-- told: the field 'subject'

local ctx = hastur.trigger{}
ctx:events({ labels = { app = true } }, function(msg)
  local s = msg.subject
  print(msg.labels.app, msg.labels.zone, s:upper()) -- here
end)
