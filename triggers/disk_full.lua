-- A disk that will be full in four hours, if it goes on as in the last six: page while there is time to do something.
--
-- A disk that has stood at 97 % for a year wakes nobody; one at 60 % that grows by a tenth each hour does. Three reports
-- in a row must say so, and nothing else for ten minutes more: neither a big file on its way through is an alarm, nor a
-- host that said it once and fell silent. The line that is drawn through six hours needs time to see that the growth has
-- ended: a disk that has stopped is resolved some hours later, wherever it stands, and one that made a single jump of a
-- quarter can be paged about until the line is flat again. Only a disk that is full is paged about again.
local ctx  = hastur.trigger{ state_bytes_max = "64MiB" } -- a disk takes two KiB
local used = ctx:window("used", { span = "6h" })
local soon = ctx:window("soon", { last = 3 }) -- where it will be, as the last reports have it
local full = ctx:alert("disk_full", { raise = { at_least = 100 }, raise_after = "10m", clear_after = "1h",
  again = "12h", stale = "1h" })

ctx:gauges({ name = "system.disk.used_percent", labels = { mount = true } }, function(msg)
  local disk = msg.host .. ":" .. msg.labels.mount
  used:add(disk, msg.value)
  local percent = used:predict(disk, "4h")
  if not percent then return end
  soon:add(disk, percent)
  if soon:full(disk) then
    full:set(disk, soon:min(disk), ("%s is %.0f %% full, in 4 hours %.0f %%"):format(disk, msg.value, math.min(percent, 100)))
  end
end)
