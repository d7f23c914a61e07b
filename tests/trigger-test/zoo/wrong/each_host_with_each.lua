-- How far each host is from each other: fine for fifty of them.
-- caught: with 1000 senders more than 5000000 instructions in one call
-- told: keep sums

local ctx = hastur.trigger{ state = { load = {} } }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.load[msg.uuid] = msg.value
end)
ctx:every("minute", function()
  local widest = 0
  for _, one in pairs(ctx.state.load) do
    for _, other in pairs(ctx.state.load) do widest = math.max(widest, one - other) end -- here
  end
  hastur.gauge("load.widest", widest)
end)
