-- caught: attempt to perform arithmetic on field 'total'
-- told: hastur.trigger{ state = { total = 0 } }, or write (ctx.state.total or 0)
local ctx = hastur.trigger{}
ctx:counters({ name = "hits" }, function(msg)
  ctx.state.total = ctx.state.total + msg.value -- here
end)
