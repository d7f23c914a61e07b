-- Up to 20,000 entries are more than a call takes.
-- caught: too many results to unpack
-- told: walk it with a loop
local ctx = hastur.trigger{ state = { v = {} } }
ctx:gauges({ name = "ms" }, function(msg)
  local v = ctx.state.v
  v[#v + 1] = msg.value
  if #v > 20000 then table.remove(v, 1) end
  hastur.gauge("ms.max", math.max(unpack(v)))  -- here
end)
