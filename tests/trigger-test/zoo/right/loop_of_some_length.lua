-- A loop that is long, and bounded.

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  local sum = 0
  for i = 1, 20000 do sum = sum + i % 7 end
  hastur.gauge("load.sum", sum)
end)
