-- A line for every second.
-- caught: state.history grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { history = {}, count = 0 } }
ctx:gauges({ name = "load" }, function(msg) ctx.state.count = ctx.state.count + 1 end)
ctx:every("second", function(tick)
  local history = ctx.state.history
  history[#history + 1] = ctx.state.count -- here
end)
