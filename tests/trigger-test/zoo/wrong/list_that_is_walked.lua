-- Every value, and all of them are walked.
-- caught: state.values grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { values = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local values = ctx.state.values
  table.insert(values, msg.value) -- here
  local sum = 0
  for _, v in ipairs(values) do sum = sum + v end
  if sum / #values > 1e6 then print("high") end
end)
