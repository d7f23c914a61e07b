-- A seed of its own.
-- caught: randomseed
-- told: so that a replay draws the same numbers

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  math.randomseed(msg.timestamp) -- here
  print(math.random(6))
end)
