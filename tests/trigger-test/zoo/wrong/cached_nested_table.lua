-- A cache inside of a table of constants.
-- caught: the table 'config.last' was made while the script was loaded
-- told: must be in ctx.state

local ctx = hastur.trigger{}
local config = { limit = 5, last = {} }
ctx:gauges({ name = "load" }, function(msg)
  if msg.value > config.limit then
    config.last.host = msg.host -- here
  end
end)
