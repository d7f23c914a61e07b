-- The clock of the processor, to measure itself.
-- caught: os.clock does not exist here
-- told: hastur.now()

local ctx = hastur.trigger{}
ctx:every("10s", function()
  local begin = os.clock() -- here
  hastur.gauge("own.cost", begin)
end)
