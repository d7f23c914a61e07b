-- A list that forgets what is a week old.

local ctx = hastur.trigger{ state = { seen = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local seen = ctx.state.seen
  while seen[1] and hastur.now() - seen[1] > hastur.us("7d") do table.remove(seen, 1) end
  seen[#seen+1] = hastur.now()
end)
