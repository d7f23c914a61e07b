-- A suspended call is state, too.
-- caught: attempt to index global 'coroutine'
-- told: triggers have no coroutines

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  local walk = coroutine.wrap(function() end) -- here
  walk()
end)
