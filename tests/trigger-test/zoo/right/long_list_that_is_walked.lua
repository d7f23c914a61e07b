-- A list with an end, and all of it is walked.

local ctx = hastur.trigger{ state = { values = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local values = ctx.state.values
  table.insert(values, msg.value)
  if #values > 1500 then table.remove(values, 1) end
  local sum = 0
  for _, v in ipairs(values) do sum = sum + v end
  if sum / #values > 1e6 then print("high") end
end)
