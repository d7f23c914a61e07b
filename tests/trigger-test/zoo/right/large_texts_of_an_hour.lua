-- What came in the last hour, at most one a minute.
local ctx = hastur.trigger{ state = { list = {}, last = 0 } }
ctx:gauges({ name = "queue" }, function(msg)
  local list = ctx.state.list
  while #list > 0 and hastur.now() - list[1].at > hastur.us("1h") do table.remove(list, 1) end
  if hastur.now() - ctx.state.last < hastur.us("1m") then return end
  ctx.state.last = hastur.now()
  table.insert(list, { at = hastur.now(), host = msg.host, text = ("x"):rep(1500) })
end)
