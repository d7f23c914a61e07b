-- tries: a comparison that is no order
-- verdict: harmless
-- state: {"n":500}
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local list = {}
  for i = 1, 500 do list[i] = i % 7 end
  table.sort(list, function() return true end)
  ctx.state.n = #list
end)
