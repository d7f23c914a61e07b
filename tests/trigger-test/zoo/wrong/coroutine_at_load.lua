-- At load, too, it is said what there is instead.
-- caught: it does not load: attempt to index global 'coroutine'
-- told: triggers have no coroutines
local ctx = hastur.trigger{}
local co = coroutine.create(function() end)  -- here
ctx:gauges({ name = "x" }, function(msg) end)
