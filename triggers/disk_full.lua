-- A disk that will be full in four hours, if it goes on as in the last six: page while there is time to do something.
--
-- A disk that has stood at 90 % for a year wakes nobody; one at 60 % that grows by a tenth each hour does. The line
-- through the last hours must say so for ten minutes of reports, so that a big file on its way through is no alarm.
local ctx  = hastur.trigger()
local used = ctx:window("used", { span = "6h" })
local full = ctx:alert("disk_full", { raise = { at_least = 100 }, clear = { below = 95 }, raise_after = "10m",
  again = "12h", stale = "1h" })

ctx:gauges({ name = "system.disk.used_percent", labels = { mount = true } }, function(msg)
  local disk = msg.host .. ":" .. msg.labels.mount
  used:add(disk, msg.value)
  local soon = used:predict(disk, "4h")
  if soon then
    full:set(disk, soon, ("%s is %.0f %% full, in 4 hours %.0f %%"):format(disk, msg.value, math.min(soon, 100)))
  end
end)
