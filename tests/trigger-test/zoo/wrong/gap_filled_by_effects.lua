-- A value for each second that was missed: after an hour they are too many.
-- caught: has more effects than it may
-- told: derive and log less

local ctx = hastur.trigger{}
ctx:every("second", function(tick)
  for i = 0, tick.missed do
    hastur.gauge("alive", i) -- here
  end
end)
