-- A function that is global because `local` was forgotten.
-- caught: the global 'percent' cannot be assigned
-- told: write local percent

local ctx = hastur.trigger{}
function percent(part, whole) return 100 * part / whole end -- here
ctx:gauges({ name = "load" }, function(msg) hastur.gauge("load.percent", percent(msg.value, 8)) end)
