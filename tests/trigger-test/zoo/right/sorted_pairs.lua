-- An order of a table, which is always the same.

local ctx = hastur.trigger{ state = { apps = {} } }
ctx:counters({ name = "requests", labels = { app = "*" } }, function(msg)
  ctx.state.apps[msg.labels.app] = (ctx.state.apps[msg.labels.app] or 0) + (msg.value or 1)
end)
ctx:every("minute", function()
  local parts = {}
  for app, count in pairs(ctx.state.apps) do parts[#parts + 1] = app .. "=" .. count end
  if #parts > 0 then slack(table.concat(parts, " ")) end
  for app in pairs(ctx.state.apps) do ctx.state.apps[app] = nil end
end)
