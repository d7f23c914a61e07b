-- A label that is a boolean, beside one that is a text.
-- caught: attempt to concatenate field 'canary'
-- told: the label 'canary' may be true or false

local ctx = hastur.trigger{}
ctx:gauges({ labels = { app = true, canary = { true, false } } }, function(msg)
  print(msg.labels.app .. " canary " .. msg.labels.canary) -- here
end)
