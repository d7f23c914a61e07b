-- What is put in, not what is taken out, lets it grow.
-- caught: grows without end
-- told: forget
local ctx = hastur.trigger{ state = { m = {} } }
ctx:counters({ name = "hits" }, function(msg)
  local m = tostring(math.floor(hastur.now() / 60e6))
  ctx.state.m[m] = (ctx.state.m[m] or 0) + 1  -- here
  for k in pairs(ctx.state.m) do
    if #k < #m then ctx.state.m[k] = nil end
  end
end)
