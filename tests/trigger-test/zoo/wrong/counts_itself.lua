-- A counter of all counters, its own among them.
-- caught: derived 8 times over
-- told: none_of

local ctx = hastur.trigger{}
ctx:counters({ own = true }, function(msg)
  hastur.counter("counters.seen", 1) -- here
end)
