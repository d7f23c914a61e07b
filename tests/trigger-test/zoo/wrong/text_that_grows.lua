-- A text that is only ever made longer.
-- caught: state.report grows without end
-- told: forget what is no longer needed

local ctx = hastur.trigger{ state = { report = "" } }
ctx:errors({}, function(msg)
  ctx.state.report = ctx.state.report .. "failed on " .. msg.host .. "\n" -- here
end)
