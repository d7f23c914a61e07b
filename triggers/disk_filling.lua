-- A file system that is nearly full: warn at 90 percent, resolve below 85, so that one on the edge is one warning.
--
-- The plain way, which knows nothing of growth; disk_full.lua does. A host that is gone takes its incidents with it.
local ctx     = hastur.trigger{ state_bytes_max = "16MiB" }
local filling = ctx:alert("disk_filling", { raise = { at_least = 90 }, clear = { below = 85 },
  stale = "6h", severity = "warning" })

ctx:gauges({ name = "system.disk.used_percent", labels = { mount = true } }, function(msg)
  filling:set(msg.host .. ":" .. msg.labels.mount, msg.value,
    ("%s on %s is %.0f %% full"):format(msg.labels.mount, msg.host, msg.value), { used_percent = msg.value })
end)
