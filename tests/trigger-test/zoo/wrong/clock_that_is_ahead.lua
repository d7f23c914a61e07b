-- caught: more than 5000000 instructions
-- told: bound the loop
local ctx = hastur.trigger{ state = { second = 0, n = 0 } }
ctx:gauges({ name = "queue" }, function(msg)
  local second = math.floor(msg.timestamp / 1e6)
  if ctx.state.second == 0 then ctx.state.second = second end
  while ctx.state.second < second do
    ctx.state.second = ctx.state.second + 1
    ctx.state.n = (ctx.state.n * 3 + 1) % 1001
  end
end)
