-- A list with an end, but each is held against each of it.
-- caught: more than 5000000 instructions in one call with 2000 entries in state.seen
-- told: bound the loop

local ctx = hastur.trigger{ state = { seen = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local seen, pairs_below = ctx.state.seen, 0
  table.insert(seen, msg.value)
  if #seen > 2000 then table.remove(seen, 1) end
  for i = 1, #seen do
    for k = i + 1, #seen do if seen[i] < seen[k] then pairs_below = pairs_below + 1 end end -- here
  end
  hastur.gauge("load.pairs", pairs_below)
end)
