-- A copy of whatever has a name that the copy has, too.
-- caught: derived 8 times over
-- told: own = true

local ctx = hastur.trigger{}
ctx:messages({ name = "load.*", own = true }, function(msg)
  hastur.gauge("load.copy", 1) -- here
end)
