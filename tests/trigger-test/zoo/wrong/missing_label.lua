-- A label that need not be there.
-- caught: attempt to concatenate field 'mount'
-- told: labels = { mount = true }

local ctx = hastur.trigger{}
ctx:gauges({ name = "disk.used", value = { above = 90 } }, function(msg)
  pager_duty("disk/" .. msg.labels.mount, "full") -- here
end)
