-- A slot for each hour of thirty days, by its number.

local ctx = hastur.trigger{ state = { slots = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local slot = tostring(math.floor(hastur.now() / hastur.us("1h")) % 720)
  ctx.state.slots[slot] = (ctx.state.slots[slot] or 0) + 1
end)
