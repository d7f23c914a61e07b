-- The last 48 hours; what was missed counts as nothing. Nobody misses years.
local ctx = hastur.trigger{ state = { lines = {}, n = 0 } }
ctx:counters({ name = "hits" }, function(msg) ctx.state.n = ctx.state.n + 1 end)
ctx:every("hour", function(tick)
  local lines = ctx.state.lines
  for i = 1, tick.missed do table.insert(lines, 0) end
  table.insert(lines, ctx.state.n)
  while #lines > 48 do table.remove(lines, 1) end
  ctx.state.n = 0
end)
