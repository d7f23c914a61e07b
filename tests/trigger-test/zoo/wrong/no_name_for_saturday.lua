-- caught: attempt to index local 'name' (a nil value)
local ctx = hastur.trigger{ state = {} }
local names = { "Mon", "Tue", "Wed", "Thu", "Fri" }
ctx:gauges({ name = "queue" }, function(msg)
  local name = names[tonumber(hastur.utc(hastur.now(), "%w"))]
  ctx.state.day = name:lower() -- here
end)
