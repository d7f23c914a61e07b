-- caught: attempt to index local 'app' (a number value)
-- told: the label 'app' may be a number: use tostring(msg.labels.app)
local ctx = hastur.trigger{}
ctx:events({ labels = { app = true } }, function(msg)
  local app = msg.labels.app
  slack("of " .. app:upper()) -- here
end)
