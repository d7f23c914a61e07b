-- A table that the garbage collector empties.
-- caught: weak
-- told: depends on the garbage collector

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  local cache = {}
  local meta = {}
  meta.__mode = "k" -- here
  setmetatable(cache, meta)
end)
