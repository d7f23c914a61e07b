-- Only from the second day on is there a day before.
-- caught: attempt to perform arithmetic on field 'errors' (a nil value)

local ctx = hastur.trigger{ state = { today = 0 } }
ctx:errors({}, function(msg) ctx.state.today = ctx.state.today + 1 end)
ctx:every("day", function(tick)
  if ctx.state.before then
    hastur.gauge("errors.more", ctx.state.today - ctx.state.before.errors) -- here
  end
  ctx.state.before = { error = ctx.state.today }
  ctx.state.today = 0
end)
