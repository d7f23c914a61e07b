-- A disk that fills up: page when the last hour's trend makes it full within four, resolve when it no longer does.
--
-- A straight line through what was measured, so it knows nothing of tonight's clean-up: hence raise_after. A host that
-- says it once and falls silent is forgotten before that (stale).
local ctx  = hastur.trigger()
local used = ctx:window("used", { span = "1h" })
local full = ctx:alert("full", { raise = { at_least = 100 }, raise_after = "10m", clear_after = "10m", stale = "5m" })

ctx:gauges({ name = "system.disk.used_percent", labels = { mount = true } }, function(msg)
  local disk = msg.host .. msg.labels.mount
  used:add(disk, msg.value)
  local percent = used:predict(disk, "4h") -- nil before half of the window is known
  if percent then full:set(disk, percent, ("%s will be full within 4 hours"):format(disk), { in_4_hours = percent }) end
end)
