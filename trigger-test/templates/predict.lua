-- A disk that fills up: page when the last hour's trend makes it full within four, resolve when it no longer does.
--
-- A straight line through what was measured knows nothing of tonight's clean-up, and takes a big file for growth. So the
-- reports of ten minutes must say it, seldom as they may come: a host that says it once and falls silent wakes nobody.
local ctx   = hastur.trigger{ state_bytes_max = "16MiB" } -- a disk takes a KiB
local used  = ctx:window("used", { span = "1h" })
local disks = ctx:keyed("disks", { forget = "1h" }) -- since when they say so
local full  = ctx:alert("full", { clear_after = "10m", stale = "1h" })

ctx:gauges({ name = "system.disk.used_percent", labels = { mount = true } }, function(msg)
  local name, now = msg.host .. ":" .. msg.labels.mount, hastur.now()
  used:add(name, msg.value)
  local percent = math.max(msg.value, used:predict(name, "4h") or 0) -- nil before half of the window is known
  local disk = disks:at(name)
  disk.since = percent >= 100 and (disk.since or now) or nil
  full:set(name, now - (disk.since or now) >= hastur.us("10m"), ("%s will be full within 4 hours"):format(name),
    { now = msg.value, in_4_hours = percent })
end)
