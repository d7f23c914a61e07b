-- A table with an end, but each is held against each of it.
-- caught: more than 5000000 instructions in one call with 2000 entries in state.last
-- told: bound the loop

local ctx = hastur.trigger{ state = { last = {}, n = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  local last, same = ctx.state.last, 0
  ctx.state.n = ctx.state.n + 1
  last[tostring(ctx.state.n % 2000)] = msg.value
  for k, one in pairs(last) do
    for j, other in pairs(last) do if one == other then same = same + 1 end end -- here
  end
  hastur.gauge("load.same", same)
end)
