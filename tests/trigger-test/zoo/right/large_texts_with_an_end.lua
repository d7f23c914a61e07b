-- The last hundred, each of them long.
local ctx = hastur.trigger{ state = { texts = {} } }
ctx:gauges({ name = "queue" }, function(msg)
  table.insert(ctx.state.texts, ("x"):rep(2000))
  if #ctx.state.texts > 100 then table.remove(ctx.state.texts, 1) end
end)
