-- A counter of two types, its own among them.
-- caught: derived 8 times over
-- told: none_of

local ctx = hastur.trigger{}
ctx:messages({ type = { "gauge", "counter" }, own = true }, function(msg)
  hastur.counter("numbers.seen", 1) -- here
end)
