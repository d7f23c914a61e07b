-- One of two labels is asked for.
-- caught: attempt to concatenate field 'zone'
-- told: labels = { zone = true }

local ctx = hastur.trigger{}
ctx:gauges({ name = "disk.used", labels = { mount = true } }, function(msg)
  print(msg.labels.zone .. ":" .. msg.labels.mount) -- here
end)
