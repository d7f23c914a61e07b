-- Nobody has put a number there.
-- caught: bad argument #1 to 'math.max'
-- told: (ctx.state.highest or 0)

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.highest = math.max(ctx.state.highest, msg.value) -- here
end)
