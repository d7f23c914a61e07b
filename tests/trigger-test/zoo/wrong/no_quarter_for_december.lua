-- The last days of a year.
-- caught: local 'q'
-- told: 
local ctx = hastur.trigger{ state = {} }
ctx:every("day", function(tick)
  local day = tonumber(hastur.utc(tick.time, "%j"))
  if day == nil or day > 366 then error("bad day") end
  local q = ({ "q1", "q2", "q3", "q4" })[math.ceil(day / 90)]
  hastur.mark("quarter", "it is " .. q)  -- here
end)
