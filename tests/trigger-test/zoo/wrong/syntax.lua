-- A parenthesis too few.
-- caught: expected

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  print(("%d"):format(msg.value)
end) -- here
