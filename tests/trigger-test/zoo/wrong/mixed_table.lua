-- A list that also has names.
-- caught: both numbers and other things as keys
-- told: use strings as keys

local ctx = hastur.trigger{ state = { loads = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local loads = ctx.state.loads
  loads[1] = msg.value
  loads.host = msg.host -- here
end)
