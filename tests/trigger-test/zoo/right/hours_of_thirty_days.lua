-- A slot for each hour of thirty days, in a list.

local ctx = hastur.trigger{ state = { slots = {}, n = 0 } }
ctx:gauges({ name = "load" }, function(msg) ctx.state.n = ctx.state.n + 1 end)
ctx:every("hour", function(tick)
  local slots = ctx.state.slots
  slots[#slots + 1] = ctx.state.n
  if #slots > 30 * 24 then table.remove(slots, 1) end
  ctx.state.n = 0
end)
