-- A file system that is nearly full: page at 90 percent, resolve below 85, so that one on the edge pages once.
local ctx = hastur.trigger{ state = { full = {} } }

ctx:gauges({ name = "system.disk.used_percent", value = { at_least = 90 }, labels = { mount = true } }, function(msg)
  local key = msg.host .. msg.labels.mount
  if not ctx.state.full[key] then
    ctx.state.full[key] = true
    pager_duty("disk_filling/" .. key, ("%s on %s is %.0f %% full"):format(msg.labels.mount, msg.host, msg.value),
      { mount = msg.labels.mount, used_percent = msg.value })
  end
end)

ctx:gauges({ name = "system.disk.used_percent", value = { below = 85 }, labels = { mount = true } }, function(msg)
  local key = msg.host .. msg.labels.mount
  if ctx.state.full[key] then
    ctx.state.full[key] = nil
    pager_duty("disk_filling/" .. key, ("%s on %s has room again: %.0f %%"):format(msg.labels.mount, msg.host, msg.value),
      {}, { action = "resolve" })
  end
end)
