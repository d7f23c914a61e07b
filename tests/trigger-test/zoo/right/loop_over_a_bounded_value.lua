-- A loop that is as long as a value, but not longer than it may be.

local ctx = hastur.trigger{}
ctx:gauges({ name = "queue.length" }, function(msg)
  local work = 0
  for i = 1, math.min(msg.value, 1000) do work = work + i end
  hastur.gauge("queue.work", work)
end)
