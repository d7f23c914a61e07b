-- A counter in a function that a function has made: the same, one step further away.
-- caught: the local 'count' is changed by a function that outlives the call
-- told: must be in ctx.state

local ctx = hastur.trigger{}
local function counter()
  local count = 0
  return function()
    count = count + 1 -- here
    return count
  end
end
local seen = counter()
ctx:gauges({ name = "load" }, function(msg) hastur.gauge("load.seen", seen()) end)
