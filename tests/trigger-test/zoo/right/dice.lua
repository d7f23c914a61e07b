-- Chance, which a replay repeats.

local ctx = hastur.trigger{ state = { sample = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  if math.random() < 0.5 then ctx.state.sample = msg.value end
  if math.random(100) == 7 then slack("a sample: " .. msg.value) end
end)
