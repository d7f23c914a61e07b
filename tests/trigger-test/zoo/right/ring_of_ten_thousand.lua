-- A long list with an end.

local ctx = hastur.trigger{ state = { last = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local last = ctx.state.last
  last[#last + 1] = msg.value
  if #last > 10000 then table.remove(last, 1) end
end)
