-- An error of its own that says what is too large is not the limit of its state.
local ctx = hastur.trigger{}
ctx:gauges({ name = "queue.length" }, function(msg)
  if msg.value > 1000 then error("a queue larger than 1000 cannot be", 0) end
  hastur.gauge("queue.seen", msg.value)
end)
