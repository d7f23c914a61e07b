-- A table of the file in the state: a copy after a restart, the same before.
-- caught: was made while the script was loaded
-- told: write a new one

local ctx = hastur.trigger{ state = {} }
local usual = { limit = 5, span = "5m" }
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.settings = usual -- here
end)
