-- A loop that is as long as a value, of which nobody says how large it is.
-- caught: more than 5000000 instructions in one call
-- told: bound the loop

local ctx = hastur.trigger{}
ctx:gauges({ name = "queue.length" }, function(msg)
  local work = 0
  for i = 1, msg.value do
    work = work + i -- here
  end
  hastur.gauge("queue.work", work)
end)
