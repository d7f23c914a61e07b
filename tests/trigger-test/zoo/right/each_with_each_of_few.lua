-- Each is held against each, of a list that is short enough for it.

local ctx = hastur.trigger{ state = { seen = {} } }
ctx:gauges({ name = "load", value = { below = 50000 } }, function(msg)
  local seen, pairs_below = ctx.state.seen, 0
  table.insert(seen, msg.value)
  if #seen > 300 then table.remove(seen, 1) end
  for i = 1, #seen do
    for k = i + 1, #seen do
      if seen[i] < seen[k] then pairs_below = pairs_below + 1 end
    end
  end
  hastur.gauge("load.pairs", pairs_below)
end)
