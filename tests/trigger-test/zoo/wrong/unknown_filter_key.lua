-- A key that no filter has.
-- caught: a filter has no key 'nam'
-- told: 'name'

local ctx = hastur.trigger{}
ctx:gauges({ nam = "load" }, function(msg) print(msg.value) end) -- here
