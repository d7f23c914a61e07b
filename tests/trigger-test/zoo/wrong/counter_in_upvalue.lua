-- A counter in a local of the file: a restart forgets it.
-- caught: the local 'count' of the file is changed
-- told: must be in ctx.state

local ctx = hastur.trigger{}
local count = 0
ctx:gauges({ name = "load" }, function(msg)
  count = count + 1 -- here
  hastur.gauge("load.seen", count)
end)
