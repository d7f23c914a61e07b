-- A list with an end.

local ctx = hastur.trigger{ state = { last = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local last = ctx.state.last
  table.insert(last, msg.value)
  if #last > 600 then table.remove(last, 1) end
end)
