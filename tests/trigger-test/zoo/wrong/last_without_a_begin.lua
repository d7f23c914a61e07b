-- caught: attempt to perform arithmetic on local 'before'
-- told: (ctx.state.last or 0)
local ctx = hastur.trigger{}
ctx:counters({ name = "c" }, function(msg)
  local before = ctx.state.last
  ctx.state.last = msg.value
  hastur.gauge("difference", msg.value - before) -- here
end)
