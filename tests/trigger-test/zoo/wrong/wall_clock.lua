-- The time of the machine.
-- caught: os.time does not exist here
-- told: hastur.now()

local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load", value = { above = 10 } }, function(msg)
  ctx.state.at = os.time() -- here
end)
