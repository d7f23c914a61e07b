-- caught: a key has 1 to 1024 bytes
-- told: none_of = { labels = { disk = "" } }
local ctx = hastur.trigger{}
local disks = ctx:keyed("disks", { forget = "1d" })
ctx:gauges({ name = "disk.used", labels = { disk = true } }, function(msg)
  disks:touch(tostring(msg.labels.disk)) -- here
end)
