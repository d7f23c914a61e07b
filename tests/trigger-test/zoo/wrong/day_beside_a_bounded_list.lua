-- The list grows at first, and is then held at its length; the days beside it are not.
-- caught: state grows without end
-- told: forget
local ctx = hastur.trigger{ state = { l = {} } }
ctx:gauges({ name = "g" }, function(msg)
  local l = ctx.state.l
  l[#l + 1] = msg.value
  if #l > 100 then table.remove(l, 1) end
  ctx.state[hastur.utc(hastur.now(), "%Y-%j")] = #l  -- here
end)
