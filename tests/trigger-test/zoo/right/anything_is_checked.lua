-- Labels, data and deltas as they may come.
local ctx = hastur.trigger{ state = { by = {}, sum = 0 } }
local seen = ctx:keyed("seen", { forget = "1d", max = 100 })
ctx:counters({ name = "requests", labels = { shard = true }, none_of = { labels = { shard = "" } } }, function(msg)
  local shard = tostring(msg.labels.shard)
  seen:touch(shard)
  ctx.state.by[shard] = (ctx.state.by[shard] or 0) + msg.value
end)
ctx:logs({ subject = "app" }, function(msg)
  if type(msg.data) == "string" and msg.data:find("fatal", 1, true) then slack("fatal") end
end)
ctx:errors({}, function(msg)
  slack("it failed: " .. tostring(msg.error))
end)
