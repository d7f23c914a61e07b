-- A loop as long as a value is large.
-- caught: more than 5000000 instructions in one call
-- told: bound the loop

local ctx = hastur.trigger{}
ctx:gauges({ name = "queue.length" }, function(msg)
  local work = 0
  for i = 1, msg.value * 1e6 do -- here
    work = work + i
  end
  hastur.gauge("queue.work", work)
end)
