-- A month whose name is written otherwise.
-- caught: nil value
-- told: 
local ctx = hastur.trigger{}
local names = { Jan = "january", Feb = "february", Mar = "march", Apr = "april", May = "may", Jun = "june", Jul = "july", Aug = "august", Sept = "september", Oct = "october", Nov = "november", Dec = "december" }
ctx:events({ attn = "ops" }, function(msg)
  slack("the month is " .. names[hastur.utc(hastur.now(), "%b")])  -- here
end)
